# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ListJobRunsResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.job_run import JobRun


@dataclass(repr=False, eq=False)
class ListJobRunsResponse(ApiModel):
    """The API's `ListJobRunsResponse` document."""

    job_runs: list[JobRun] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "job_runs": "list[JobRun]",
        "next_page_token": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "job_runs": "job_runs",
        "next_page_token": "next_page_token",
    }
