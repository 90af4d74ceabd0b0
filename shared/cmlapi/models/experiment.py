# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `Experiment` document."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.short_user import ShortUser
from cmlapi.models.tag import Tag


@dataclass(repr=False, eq=False)
class Experiment(ApiModel):
    """The API's `Experiment` document."""

    id: str | None = None
    project_id: str | None = None
    name: str | None = None
    artifact_location: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    tags: list[Tag] | None = None
    lifecycle_stage: str | None = None
    user: ShortUser | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "project_id": "str",
        "name": "str",
        "artifact_location": "str",
        "created_at": "datetime",
        "updated_at": "datetime",
        "tags": "list[Tag]",
        "lifecycle_stage": "str",
        "user": "ShortUser",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "id": "id",
        "project_id": "project_id",
        "name": "name",
        "artifact_location": "artifact_location",
        "created_at": "created_at",
        "updated_at": "updated_at",
        "tags": "tags",
        "lifecycle_stage": "lifecycle_stage",
        "user": "user",
    }
