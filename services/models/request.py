"""The AddModel request."""

from dataclasses import dataclass

from chassis.rpc.domain_request import DomainRequest, Stripped
from chassis.rpc.errors import Violations
from ft.enums import ModelType


@dataclass(frozen=True, kw_only=True)
class ModelRequest(DomainRequest):
    """A base model to register."""

    type: str
    huggingface_name: Stripped = ""
    """Name on the hub, for type huggingface."""
    location: Stripped = ""
    """Directory that `save_pretrained` made, for type project."""
    name: Stripped = ""
    """Name to show, for type project; the directory's name if empty."""
    model_registry_id: Stripped = ""
    """Id in the workspace's model registry, for type model_registry."""

    def check(self, found: Violations) -> None:
        """Adds each rule that the request breaks by itself."""
        found.one_of("type", self.type, ModelType)
        match self.type:
            case ModelType.HUGGINGFACE:
                found.required("huggingface_name", self.huggingface_name)
            case ModelType.PROJECT:
                found.required("location", self.location)
            case ModelType.MODEL_REGISTRY:
                found.required("model_registry_id", self.model_registry_id)
