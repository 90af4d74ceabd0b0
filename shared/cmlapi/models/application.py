# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `Application` document."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.short_user import ShortUser


@dataclass(repr=False, eq=False)
class Application(ApiModel):
    """The API's `Application` document."""

    id: str | None = None
    name: str | None = None
    description: str | None = None
    creator: ShortUser | None = None
    script: str | None = None
    subdomain: str | None = None
    status: str | None = None
    created_at: datetime.datetime | None = None
    stopped_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    starting_at: datetime.datetime | None = None
    running_at: datetime.datetime | None = None
    kernel: str | None = None
    cpu: float | None = None
    memory: float | None = None
    nvidia_gpu: int | None = None
    bypass_authentication: bool | None = None
    environment: str | None = None
    runtime_identifier: str | None = None
    runtime_addon_identifiers: list[str] | None = None
    run_as: int | None = None
    cdv_app: bool | None = None
    accelerator_label_id: str | int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "name": "str",
        "description": "str",
        "creator": "ShortUser",
        "script": "str",
        "subdomain": "str",
        "status": "ApplicationStatus",
        "created_at": "datetime",
        "stopped_at": "datetime",
        "updated_at": "datetime",
        "starting_at": "datetime",
        "running_at": "datetime",
        "kernel": "str",
        "cpu": "float",
        "memory": "float",
        "nvidia_gpu": "int",
        "bypass_authentication": "bool",
        "environment": "str",
        "runtime_identifier": "str",
        "runtime_addon_identifiers": "list[str]",
        "run_as": "int",
        "cdv_app": "bool",
        "accelerator_label_id": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "id": "id",
        "name": "name",
        "description": "description",
        "creator": "creator",
        "script": "script",
        "subdomain": "subdomain",
        "status": "status",
        "created_at": "created_at",
        "stopped_at": "stopped_at",
        "updated_at": "updated_at",
        "starting_at": "starting_at",
        "running_at": "running_at",
        "kernel": "kernel",
        "cpu": "cpu",
        "memory": "memory",
        "nvidia_gpu": "nvidia_gpu",
        "bypass_authentication": "bypass_authentication",
        "environment": "environment",
        "runtime_identifier": "runtime_identifier",
        "runtime_addon_identifiers": "runtime_addon_identifiers",
        "run_as": "run_as",
        "cdv_app": "cdv_app",
        "accelerator_label_id": "accelerator_label_id",
    }
