# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `Runtime` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class Runtime(ApiModel):
    """The API's `Runtime` document."""

    image_identifier: str | None = None
    editor: str | None = None
    kernel: str | None = None
    edition: str | None = None
    description: str | None = None
    full_version: str | None = None
    status: str | None = None
    register_user_id: int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "image_identifier": "str",
        "editor": "str",
        "kernel": "str",
        "edition": "str",
        "description": "str",
        "full_version": "str",
        "status": "str",
        "register_user_id": "int",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "image_identifier": "image_identifier",
        "editor": "editor",
        "kernel": "kernel",
        "edition": "edition",
        "description": "description",
        "full_version": "full_version",
        "status": "status",
        "register_user_id": "register_user_id",
    }
