# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `Model` document."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.default_replication_policy import DefaultReplicationPolicy
from cmlapi.models.default_resources import DefaultResources
from cmlapi.models.short_project import ShortProject
from cmlapi.models.short_user import ShortUser


@dataclass(repr=False, eq=False)
class Model(ApiModel):
    """The API's `Model` document."""

    id: str | None = None
    name: str | None = None
    description: str | None = None
    creator: ShortUser | None = None
    access_key: str | None = None
    deletion_status: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    crn: str | None = None
    auth_enabled: bool | None = None
    project: ShortProject | None = None
    registered_model_id: str | None = None
    visibility: str | None = None
    default_resources: DefaultResources | None = None
    default_replication_policy: DefaultReplicationPolicy | None = None
    run_as: int | None = None
    accelerator_label_id: str | int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "name": "str",
        "description": "str",
        "creator": "ShortUser",
        "access_key": "str",
        "deletion_status": "str",
        "created_at": "datetime",
        "updated_at": "datetime",
        "crn": "str",
        "auth_enabled": "bool",
        "project": "ShortProject",
        "registered_model_id": "str",
        "visibility": "str",
        "default_resources": "DefaultResources",
        "default_replication_policy": "DefaultReplicationPolicy",
        "run_as": "int",
        "accelerator_label_id": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "id": "id",
        "name": "name",
        "description": "description",
        "creator": "creator",
        "access_key": "access_key",
        "deletion_status": "deletion_status",
        "created_at": "created_at",
        "updated_at": "updated_at",
        "crn": "crn",
        "auth_enabled": "auth_enabled",
        "project": "project",
        "registered_model_id": "registered_model_id",
        "visibility": "visibility",
        "default_resources": "default_resources",
        "default_replication_policy": "default_replication_policy",
        "run_as": "run_as",
        "accelerator_label_id": "accelerator_label_id",
    }
