"""A request for an export in the domain's own terms; the rules that need nothing else."""

import re
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from chassis.rpc.errors import Violations
from chassis.store.idempotency import RequestKey
from ft.enums import ExportType
from jobs.requests.arguments import check_carried
from jobs.requests.numbers import check_gpus, check_resources
from jobs.requests.repetition import Repeatable
from jobs.requests.settings import check_settings
from services.models import rules

BY_JOB = (ExportType.MODEL_REGISTRY, ExportType.MERGED)
MAX_NAME_CHARACTERS = 256
"""What the tables of an MLflow registry take."""
_NAME = re.compile(r"(?!\.{1,2}\Z)[^/:\"']+")
_PLACE = re.compile(r"[^/:.%\"']+")
"""What MLflow takes as the name of a registered model, and of one that is logged in a run."""
_CONTROL = ("Cc", "Zl", "Zp")
"""Unicode's categories of control characters, and of what else ends a line."""


class Number(NamedTuple):
    """A number of the request, with the name of the field that it is from."""

    field: str
    value: int


@dataclass(frozen=True, kw_only=True)
class ExportWanted(Repeatable):
    """What ExportModel asks for."""

    type: str
    base_model_id: str
    adapter_id: str
    model_name: str
    model_description: str
    artifact_location: str
    generation_config: str
    """A JSON object; empty for none."""
    disable_authentication: bool
    """Whether a served model's access key alone lets a caller in."""
    cpu: Number
    memory: Number
    """GiB."""
    gpu: Number

    @property
    def by_job(self) -> bool:
        """Whether a job makes it."""
        return self.type in BY_JOB

    @property
    def key(self) -> RequestKey:
        """Tells a repetition of the request from others."""
        return RequestKey(self.request_id, self.digest)

    def check(self) -> None:
        """Raises InvalidArgument with every rule that the request breaks by itself."""
        found = Violations()
        found.one_of("type", self.type, ExportType)
        found.required("base_model_id", self.base_model_id)
        found.required("adapter_id", self.adapter_id)
        ids = {"base_model_id": self.base_model_id, "adapter_id": self.adapter_id}
        given = {name: id for name, id in ids.items() if id.strip() and self.by_job}
        check_carried(given, found)
        if found.required("model_name", self.model_name):
            _check_name(self.model_name, found)
        if self.generation_config:
            config = found.json_object("generation_config", self.generation_config)
            check_settings("generation_config", config or {}, found)
        check_resources(found, **dict((self.cpu, self.memory)))
        check_gpus(found, **dict((self.gpu,)))
        if self.by_job:
            self._check_job(found)
        found.raise_if_any()

    def _check_job(self, found: Violations) -> None:
        if self.model_name:
            holds = _NAME.fullmatch(self.model_name) is not None
            description = (
                f"must have none of / : \" ' in it, and not be . or .., not {self.model_name!r}"
            )
            found.check("model_name", rules.REGISTRY_NAME, holds, description)
        place = self.artifact_location
        description = f"must have none of / : . % \" ' in it, not {place!r}"
        fits = not place or _PLACE.fullmatch(place) is not None
        found.check("artifact_location", rules.REGISTRY_NAME, fits, description)
        check_carried({"artifact_location": place}, found)
        self.check_retry(found)


def _check_name(name: str, found: Violations) -> None:
    description = f"has {len(name)} characters; {MAX_NAME_CHARACTERS} are allowed"
    short = len(name) <= MAX_NAME_CHARACTERS
    found.check("model_name", rules.EXPORT_NAME, short, description)
    control = next((c for c in name if unicodedata.category(c) in _CONTROL), "")
    description = f"must have no control characters or line breaks in it, not {control!r}"
    found.check("model_name", rules.EXPORT_NAME, not control, description)
