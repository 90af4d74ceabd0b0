# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ModelBuild` document."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.short_user import ShortUser


@dataclass(repr=False, eq=False)
class ModelBuild(ApiModel):
    """The API's `ModelBuild` document."""

    id: str | None = None
    model_id: str | None = None
    creator: ShortUser | None = None
    comment: str | None = None
    file_path: str | None = None
    function_name: str | None = None
    engine_image: str | None = None
    kernel: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    status: str | None = None
    deletion_status: str | None = None
    crn: str | None = None
    built_at: datetime.datetime | None = None
    runtime_identifier: str | None = None
    runtime_addon_identifiers: list[str] | None = None
    registered_model_version_id: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "model_id": "str",
        "creator": "ShortUser",
        "comment": "str",
        "file_path": "str",
        "function_name": "str",
        "engine_image": "str",
        "kernel": "str",
        "created_at": "datetime",
        "updated_at": "datetime",
        "status": "str",
        "deletion_status": "str",
        "crn": "str",
        "built_at": "datetime",
        "runtime_identifier": "str",
        "runtime_addon_identifiers": "list[str]",
        "registered_model_version_id": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "id": "id",
        "model_id": "model_id",
        "creator": "creator",
        "comment": "comment",
        "file_path": "file_path",
        "function_name": "function_name",
        "engine_image": "engine_image",
        "kernel": "kernel",
        "created_at": "created_at",
        "updated_at": "updated_at",
        "status": "status",
        "deletion_status": "deletion_status",
        "crn": "crn",
        "built_at": "built_at",
        "runtime_identifier": "runtime_identifier",
        "runtime_addon_identifiers": "runtime_addon_identifiers",
        "registered_model_version_id": "registered_model_version_id",
    }
