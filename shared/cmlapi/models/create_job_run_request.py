# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `CreateJobRunRequest` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class CreateJobRunRequest(ApiModel):
    """The API's `CreateJobRunRequest` document."""

    project_id: str | None = None
    job_id: str | None = None
    environment: dict[str, str] | None = None
    arguments: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "project_id": "str",
        "job_id": "str",
        "environment": "dict(str, str)",
        "arguments": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "project_id": "project_id",
        "job_id": "job_id",
        "environment": "environment",
        "arguments": "arguments",
    }
