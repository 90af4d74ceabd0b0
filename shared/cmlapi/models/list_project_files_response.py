# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ListProjectFilesResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.file_info import FileInfo


@dataclass(repr=False, eq=False)
class ListProjectFilesResponse(ApiModel):
    """The API's `ListProjectFilesResponse` document."""

    files: list[FileInfo] | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "files": "list[FileInfo]",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "files": "files",
    }
