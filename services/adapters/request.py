"""The AddAdapter request."""

from dataclasses import dataclass

from chassis.rpc.domain_request import DomainRequest, Stripped
from chassis.rpc.errors import Violations
from ft.enums import AdapterType


@dataclass(frozen=True, kw_only=True)
class AdapterRequest(DomainRequest):
    """An adapter to register. Empty means not set."""

    type: str = AdapterType.PROJECT
    name: Stripped
    model_id: Stripped
    location: Stripped
    huggingface_name: Stripped
    fine_tuning_job_id: str
    prompt_id: str

    def check(self, found: Violations) -> None:
        """Adds each rule that the request breaks by itself."""
        found.one_of("type", self.type, AdapterType)
        found.required("name", self.name)
        found.required("model_id", self.model_id)
        if self.type == AdapterType.HUGGINGFACE:
            found.required("huggingface_name", self.huggingface_name)
        else:
            found.required("location", self.location)
