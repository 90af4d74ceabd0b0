# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `Project` document."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.project_permissions import ProjectPermissions
from cmlapi.models.short_user import ShortUser


@dataclass(repr=False, eq=False)
class Project(ApiModel):
    """The API's `Project` document."""

    id: str | None = None
    name: str | None = None
    owner: ShortUser | None = None
    creator: ShortUser | None = None
    description: str | None = None
    visibility: str | None = None
    default_engine_type: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    creation_status: str | None = None
    permissions: ProjectPermissions | None = None
    shared_memory_limit: int | None = None
    environment: str | None = None
    ephemeral_storage_request: int | None = None
    ephemeral_storage_limit: int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "name": "str",
        "owner": "ShortUser",
        "creator": "ShortUser",
        "description": "str",
        "visibility": "str",
        "default_engine_type": "str",
        "created_at": "datetime",
        "updated_at": "datetime",
        "creation_status": "str",
        "permissions": "ProjectPermissions",
        "shared_memory_limit": "int",
        "environment": "str",
        "ephemeral_storage_request": "int",
        "ephemeral_storage_limit": "int",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "id": "id",
        "name": "name",
        "owner": "owner",
        "creator": "creator",
        "description": "description",
        "visibility": "visibility",
        "default_engine_type": "default_engine_type",
        "created_at": "created_at",
        "updated_at": "updated_at",
        "creation_status": "creation_status",
        "permissions": "permissions",
        "shared_memory_limit": "shared_memory_limit",
        "environment": "environment",
        "ephemeral_storage_request": "ephemeral_storage_request",
        "ephemeral_storage_limit": "ephemeral_storage_limit",
    }
