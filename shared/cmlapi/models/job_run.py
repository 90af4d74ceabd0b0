# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `JobRun` document."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.short_user import ShortUser


@dataclass(repr=False, eq=False)
class JobRun(ApiModel):
    """The API's `JobRun` document."""

    project_id: str | None = None
    job_id: str | None = None
    status: str | None = None
    id: str | None = None
    created_at: datetime.datetime | None = None
    scheduling_at: datetime.datetime | None = None
    starting_at: datetime.datetime | None = None
    running_at: datetime.datetime | None = None
    finished_at: datetime.datetime | None = None
    kernel: str | None = None
    cpu: float | None = None
    memory: float | None = None
    nvidia_gpu: int | None = None
    arguments: str | None = None
    environment: str | None = None
    creator: ShortUser | None = None
    runtime_identifier: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "project_id": "str",
        "job_id": "str",
        "status": "EngineStatus",
        "id": "str",
        "created_at": "datetime",
        "scheduling_at": "datetime",
        "starting_at": "datetime",
        "running_at": "datetime",
        "finished_at": "datetime",
        "kernel": "str",
        "cpu": "float",
        "memory": "float",
        "nvidia_gpu": "int",
        "arguments": "str",
        "environment": "str",
        "creator": "ShortUser",
        "runtime_identifier": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "project_id": "project_id",
        "job_id": "job_id",
        "status": "status",
        "id": "id",
        "created_at": "created_at",
        "scheduling_at": "scheduling_at",
        "starting_at": "starting_at",
        "running_at": "running_at",
        "finished_at": "finished_at",
        "kernel": "kernel",
        "cpu": "cpu",
        "memory": "memory",
        "nvidia_gpu": "nvidia_gpu",
        "arguments": "arguments",
        "environment": "environment",
        "creator": "creator",
        "runtime_identifier": "runtime_identifier",
    }
