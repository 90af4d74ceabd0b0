"""A request to register an adapter in the domain's own terms, and the rules about it alone."""

from dataclasses import dataclass

from chassis.paths import ProjectPaths
from chassis.rpc.errors import Violations
from ft.enums import AdapterType


@dataclass(frozen=True, kw_only=True)
class AdapterWanted:
    """What AddAdapter asks for, without blanks around it. Empty means not set."""

    type: str
    name: str
    model_id: str
    location: str
    huggingface_name: str
    fine_tuning_job_id: str
    prompt_id: str

    def check(self, paths: ProjectPaths) -> None:
        """Raises InvalidArgument with all that is wrong."""
        found = Violations()
        found.one_of("type", self.type, AdapterType)
        found.required("name", self.name)
        found.required("model_id", self.model_id)
        if self.type == AdapterType.HUGGINGFACE:
            found.required("huggingface_name", self.huggingface_name)
        elif found.required("location", self.location):
            paths.directory("location", self.location, found)
        found.raise_if_any()
