# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ListApplicationsResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.application import Application
from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class ListApplicationsResponse(ApiModel):
    """The API's `ListApplicationsResponse` document."""

    applications: list[Application] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "applications": "list[Application]",
        "next_page_token": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "applications": "applications",
        "next_page_token": "next_page_token",
    }
