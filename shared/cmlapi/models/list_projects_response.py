# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ListProjectsResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.project import Project


@dataclass(repr=False, eq=False)
class ListProjectsResponse(ApiModel):
    """The API's `ListProjectsResponse` document."""

    projects: list[Project] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "projects": "list[Project]",
        "next_page_token": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "projects": "projects",
        "next_page_token": "next_page_token",
    }
