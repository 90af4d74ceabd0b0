"""A request for an export by a job in the domain's own terms; the rules that need nothing else."""

import re
from dataclasses import dataclass

from chassis.errors import Violations
from ft.enums import ExportType
from jobs import rules as of_jobs
from jobs.arguments import check_carried
from jobs.settings import check_settings
from services.models import rules

BY_JOB = (ExportType.MODEL_REGISTRY, ExportType.MERGED)
CPU, MEMORY_GIB, GPU = 2, 8, 0
"""What a job gets that is not told otherwise."""
_NAME = re.compile(r"(?!\.{1,2}\Z)[^/:\"']+")
_PLACE = re.compile(r"[^/:.%\"']+")
"""What MLflow takes as the name of a registered model, and of one that is logged in a run."""


@dataclass(frozen=True, kw_only=True)
class ExportWanted:
    """What ExportModel asks for."""

    type: str
    base_model_id: str
    adapter_id: str
    model_name: str
    model_description: str
    artifact_location: str
    generation_config: str
    """A JSON object; empty for none."""
    cpu: int
    memory: int
    """GiB."""
    gpu: int

    def check(self, found: Violations) -> None:
        """Notes every rule that the request breaks by itself."""
        found.required("base_model_id", self.base_model_id)
        found.required("adapter_id", self.adapter_id)
        if found.required("model_name", self.model_name):
            description = (
                f"must have none of / : \" ' in it, and not be . or .., not {self.model_name!r}"
            )
            holds = _NAME.fullmatch(self.model_name) is not None
            found.check("model_name", rules.EXPORT_NAME, holds, description)
        place = self.artifact_location
        description = f"must have none of / : . % \" ' in it, not {place!r}"
        fits = not place or _PLACE.fullmatch(place) is not None
        found.check("artifact_location", rules.EXPORT_NAME, fits, description)
        check_carried({"artifact_location": place}, found)
        if self.generation_config:
            config = found.json_object("generation_config", self.generation_config)
            check_settings("generation_config", config or {}, found)
        self._check_resources(found)

    def _check_resources(self, found: Violations) -> None:
        for name, value in (("job_cpu", self.cpu), ("job_memory", self.memory)):
            found.check(name, of_jobs.RESOURCES, value > 0, f"must be above 0, not {value}")
        description = f"must not be negative, not {self.gpu}"
        found.check("job_gpu", of_jobs.GPUS, self.gpu >= 0, description)
