# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ShortCreateModelBuild` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class ShortCreateModelBuild(ApiModel):
    """The API's `ShortCreateModelBuild` document."""

    comment: str | None = None
    file_path: str | None = None
    function_name: str | None = None
    kernel: str | None = None
    runtime_identifier: str | None = None
    runtime_addon_identifiers: list[str] | None = None
    registered_model_version_id: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "comment": "str",
        "file_path": "str",
        "function_name": "str",
        "kernel": "str",
        "runtime_identifier": "str",
        "runtime_addon_identifiers": "list[str]",
        "registered_model_version_id": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "comment": "comment",
        "file_path": "file_path",
        "function_name": "function_name",
        "kernel": "kernel",
        "runtime_identifier": "runtime_identifier",
        "runtime_addon_identifiers": "runtime_addon_identifiers",
        "registered_model_version_id": "registered_model_version_id",
    }
