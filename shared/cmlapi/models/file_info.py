# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `FileInfo` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class FileInfo(ApiModel):
    """The API's `FileInfo` document."""

    path: str | None = None
    is_dir: bool | None = None
    file_size: str | int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "path": "str",
        "is_dir": "bool",
        "file_size": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "path": "path",
        "is_dir": "is_dir",
        "file_size": "file_size",
    }
