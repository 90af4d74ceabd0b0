# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ProjectPermissions` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class ProjectPermissions(ApiModel):
    """The API's `ProjectPermissions` document."""

    read: bool | None = None
    write: bool | None = None
    admin: bool | None = None
    business_user: bool | None = None
    operator: bool | None = None
    inherit: bool | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "read": "bool",
        "write": "bool",
        "admin": "bool",
        "business_user": "bool",
        "operator": "bool",
        "inherit": "bool",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "read": "read",
        "write": "write",
        "admin": "admin",
        "business_user": "business_user",
        "operator": "operator",
        "inherit": "inherit",
    }
