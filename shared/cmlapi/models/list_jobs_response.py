# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ListJobsResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.job import Job


@dataclass(repr=False, eq=False)
class ListJobsResponse(ApiModel):
    """The API's `ListJobsResponse` document."""

    jobs: list[Job] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "jobs": "list[Job]",
        "next_page_token": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "jobs": "jobs",
        "next_page_token": "next_page_token",
    }
