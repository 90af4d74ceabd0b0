# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `Job` document."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.short_project import ShortProject
from cmlapi.models.short_user import ShortUser


@dataclass(repr=False, eq=False)
class Job(ApiModel):
    """The API's `Job` document."""

    id: str | None = None
    cpu: float | None = None
    created_at: datetime.datetime | None = None
    creator: ShortUser | None = None
    engine_image_id: str | None = None
    english_schedule: str | None = None
    arguments: str | None = None
    type: str | None = None
    kernel: str | None = None
    memory: float | None = None
    name: str | None = None
    parent_id: str | None = None
    paused: bool | None = None
    schedule: str | None = None
    script: str | None = None
    timeout: str | int | None = None
    timezone: str | None = None
    updated_at: datetime.datetime | None = None
    environment: str | None = None
    nvidia_gpu: int | None = None
    runtime_identifier: str | None = None
    runtime_addon_identifiers: list[str] | None = None
    kill_on_timeout: bool | None = None
    project: ShortProject | None = None
    owner: ShortUser | None = None
    run_as: int | None = None
    accelerator_label_id: str | int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "cpu": "float",
        "created_at": "datetime",
        "creator": "ShortUser",
        "engine_image_id": "str",
        "english_schedule": "str",
        "arguments": "str",
        "type": "str",
        "kernel": "str",
        "memory": "float",
        "name": "str",
        "parent_id": "str",
        "paused": "bool",
        "schedule": "str",
        "script": "str",
        "timeout": "str",
        "timezone": "str",
        "updated_at": "datetime",
        "environment": "str",
        "nvidia_gpu": "int",
        "runtime_identifier": "str",
        "runtime_addon_identifiers": "list[str]",
        "kill_on_timeout": "bool",
        "project": "ShortProject",
        "owner": "ShortUser",
        "run_as": "int",
        "accelerator_label_id": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "id": "id",
        "cpu": "cpu",
        "created_at": "created_at",
        "creator": "creator",
        "engine_image_id": "engine_image_id",
        "english_schedule": "english_schedule",
        "arguments": "arguments",
        "type": "type",
        "kernel": "kernel",
        "memory": "memory",
        "name": "name",
        "parent_id": "parent_id",
        "paused": "paused",
        "schedule": "schedule",
        "script": "script",
        "timeout": "timeout",
        "timezone": "timezone",
        "updated_at": "updated_at",
        "environment": "environment",
        "nvidia_gpu": "nvidia_gpu",
        "runtime_identifier": "runtime_identifier",
        "runtime_addon_identifiers": "runtime_addon_identifiers",
        "kill_on_timeout": "kill_on_timeout",
        "project": "project",
        "owner": "owner",
        "run_as": "run_as",
        "accelerator_label_id": "accelerator_label_id",
    }
