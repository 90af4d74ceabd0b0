# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ShortProject` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class ShortProject(ApiModel):
    """The API's `ShortProject` document."""

    public_identifier: str | None = None
    name: str | None = None
    default_project_engine: str | None = None
    slug: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "public_identifier": "str",
        "name": "str",
        "default_project_engine": "str",
        "slug": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "public_identifier": "public_identifier",
        "name": "name",
        "default_project_engine": "default_project_engine",
        "slug": "slug",
    }
