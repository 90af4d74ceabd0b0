# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ModelDeployment` document."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.short_user import ShortUser


@dataclass(repr=False, eq=False)
class ModelDeployment(ApiModel):
    """The API's `ModelDeployment` document."""

    project_id: str | None = None
    model_id: str | None = None
    build_id: str | None = None
    id: str | None = None
    cpu: float | None = None
    memory: float | None = None
    nvidia_gpu: int | None = None
    environment: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    stopped_at: datetime.datetime | None = None
    crn: str | None = None
    deployer: ShortUser | None = None
    status: str | None = None
    replicas: int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "project_id": "str",
        "model_id": "str",
        "build_id": "str",
        "id": "str",
        "cpu": "float",
        "memory": "float",
        "nvidia_gpu": "int",
        "environment": "str",
        "created_at": "datetime",
        "updated_at": "datetime",
        "stopped_at": "datetime",
        "crn": "str",
        "deployer": "ShortUser",
        "status": "str",
        "replicas": "int",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "project_id": "project_id",
        "model_id": "model_id",
        "build_id": "build_id",
        "id": "id",
        "cpu": "cpu",
        "memory": "memory",
        "nvidia_gpu": "nvidia_gpu",
        "environment": "environment",
        "created_at": "created_at",
        "updated_at": "updated_at",
        "stopped_at": "stopped_at",
        "crn": "crn",
        "deployer": "deployer",
        "status": "status",
        "replicas": "replicas",
    }
