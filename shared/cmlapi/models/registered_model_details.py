# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `RegisteredModelDetails` document."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.short_user import ShortUser


@dataclass(repr=False, eq=False)
class RegisteredModelDetails(ApiModel):
    """The API's `RegisteredModelDetails` document."""

    model_id: str | None = None
    name: str | None = None
    description: str | None = None
    owner: ShortUser | None = None
    permission: str | None = None
    visibility: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    count: int | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "model_id": "str",
        "name": "str",
        "description": "str",
        "owner": "ShortUser",
        "permission": "str",
        "visibility": "Visibility",
        "created_at": "datetime",
        "updated_at": "datetime",
        "count": "int",
        "next_page_token": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "model_id": "model_id",
        "name": "name",
        "description": "description",
        "owner": "owner",
        "permission": "permission",
        "visibility": "visibility",
        "created_at": "created_at",
        "updated_at": "updated_at",
        "count": "count",
        "next_page_token": "next_page_token",
    }
