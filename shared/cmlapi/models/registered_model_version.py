# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `RegisteredModelVersion` document."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.model_version_metadata import ModelVersionMetadata
from cmlapi.models.short_user import ShortUser
from cmlapi.models.tag import Tag


@dataclass(repr=False, eq=False)
class RegisteredModelVersion(ApiModel):
    """The API's `RegisteredModelVersion` document."""

    model_id: str | None = None
    model_version_id: str | None = None
    version_name: str | None = None
    number: int | None = None
    notes: str | None = None
    user: ShortUser | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    status: str | None = None
    model_version_metadata: ModelVersionMetadata | None = None
    tags: list[Tag] | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "model_id": "str",
        "model_version_id": "str",
        "version_name": "str",
        "number": "int",
        "notes": "str",
        "user": "ShortUser",
        "created_at": "datetime",
        "updated_at": "datetime",
        "status": "str",
        "model_version_metadata": "ModelVersionMetadata",
        "tags": "list[Tag]",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "model_id": "model_id",
        "model_version_id": "model_version_id",
        "version_name": "version_name",
        "number": "number",
        "notes": "notes",
        "user": "user",
        "created_at": "created_at",
        "updated_at": "updated_at",
        "status": "status",
        "model_version_metadata": "model_version_metadata",
        "tags": "tags",
    }
