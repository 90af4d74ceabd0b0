"""The ExportModel request."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Self

from chassis.rpc.domain_request import Stripped
from chassis.rpc.errors import Violations
from ft.enums import ExportType
from jobs.requests.arguments import check_carried
from jobs.requests.numbers import check_gpus, check_resources
from jobs.requests.request import FLAG, FlagText, JobRequest
from jobs.requests.settings import check_settings
from services.models import rules

BY_JOB = (ExportType.MODEL_REGISTRY, ExportType.MERGED)
DEFAULT_CPU, DEFAULT_MEMORY_GIB = 2, 8
DEFAULT_GPU_OF_JOB, DEFAULT_GPU_OF_SERVED = 0, 1
MAX_NAME_CHARACTERS = 256
"""Limit of the tables of an MLflow registry."""
_NAME = re.compile(r"(?!\.{1,2}\Z)[^/:\"']+")
_PLACE = re.compile(r"[^/:.%\"']+")
"""Names that MLflow takes for a registered model, and for one that is logged in a run."""
_CONTROL = ("Cc", "Zl", "Zp")
"""Unicode's categories of control characters, and of what else ends a line."""


class FieldValue(NamedTuple):
    """A number of the request, with the name of the field that it is from."""

    field: str
    value: int


@dataclass(frozen=True, kw_only=True)
class ExportRequest(JobRequest):
    """A request to export a base model with an adapter."""

    type: str
    base_model_id: Annotated[str, FLAG]
    adapter_id: Annotated[str, FLAG]
    model_name: Stripped
    model_description: str
    artifact_location: FlagText
    generation_config: str
    """A JSON object; empty for none."""
    disable_authentication: bool
    """True if a caller needs only the access key of a served model."""
    cpu: FieldValue
    memory: FieldValue
    """GiB."""
    gpu: FieldValue

    @classmethod
    def from_message(cls, message: Any, **given: Any) -> Self:
        """Reads the request, see `DomainRequest.from_message`."""
        by_job = message.type in BY_JOB
        gpu = DEFAULT_GPU_OF_JOB if by_job else DEFAULT_GPU_OF_SERVED
        defaults = {"cpu": DEFAULT_CPU, "memory": DEFAULT_MEMORY_GIB, "gpu": gpu}
        for name, default in defaults.items():
            fields = [f"job_{name}", name] if by_job else [name]
            values = [
                FieldValue(one, getattr(message, one)) for one in fields if message.HasField(one)
            ]
            given[name] = values[0] if values else FieldValue(name, default)
        return super().from_message(message, **given)

    @property
    def by_job(self) -> bool:
        """True if a job makes the export."""
        return self.type in BY_JOB

    def check(self, found: Violations) -> None:
        """Adds each rule that the request breaks by itself."""
        found.one_of("type", self.type, ExportType)
        found.required("base_model_id", self.base_model_id)
        found.required("adapter_id", self.adapter_id)
        name = found.required("model_name", self.model_name)
        if name:
            short, size = len(name) <= MAX_NAME_CHARACTERS, len(name)
            description = f"has {size} characters; {MAX_NAME_CHARACTERS} are allowed"
            found.check("model_name", rules.EXPORT_NAME, short, description)
            control = next((c for c in name if unicodedata.category(c) in _CONTROL), "")
            description = f"must have no control characters or line breaks in it, not {control!r}"
            found.check("model_name", rules.EXPORT_NAME, not control, description)
        if self.generation_config:
            config = found.json_object("generation_config", self.generation_config)
            check_settings("generation_config", config or {}, found)
        check_resources(found, **dict((self.cpu, self.memory)))
        check_gpus(found, **dict((self.gpu,)))
        if not self.by_job:
            return
        ids = self.values(("base_model_id", "adapter_id"))
        check_carried({field: id for field, id in ids.items() if id.strip()}, found)
        fits = not name or _NAME.fullmatch(name) is not None
        description = f"{name!r} must not contain / : \" or ', and must not be . or .."
        found.check("model_name", rules.REGISTRY_NAME, fits, description)
        place = self.artifact_location
        fits = not place or _PLACE.fullmatch(place) is not None
        description = f"must have none of / : . % \" ' in it, not {place!r}"
        found.check("artifact_location", rules.REGISTRY_NAME, fits, description)
        super().check(found)
