"""The AddDataset request."""

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.rpc.domain_request import DomainRequest, Stripped
from chassis.rpc.errors import Violations
from ft import data_files
from ft.enums import DatasetType
from rows.files import formats
from services.datasets import roles_text, rules


@dataclass(frozen=True, kw_only=True)
class DatasetRequest(DomainRequest):
    """A dataset to register."""

    type: str
    huggingface_name: Stripped
    location: Stripped
    name: Stripped
    roles: Mapping[str, str]
    """Roles of its conversations, with the roles that they stand for."""

    def check(self, found: Violations) -> None:
        """Adds each rule that the request breaks by itself."""
        roles_text.check_roles(self.roles, "roles", found)
        if self.type == DatasetType.HUGGINGFACE:
            found.required("huggingface_name", self.huggingface_name)
            return
        found.one_of("type", self.type, DatasetType)
        found.required("name", self.name)
        if not found.required("location", self.location) or self.type not in list(DatasetType):
            return
        if advice := formats.advice(self.location):
            found.add("location", rules.FILE_SUFFIX, f"{self.location!r}: {advice}")
        elif self.type != DatasetType.PROJECT:
            kind = DatasetType(self.type)
            fits = data_files.fits(kind, self.location)
            description = formats.wanted(kind, self.location)
            found.check("location", rules.FILE_SUFFIX, fits, description)
