# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `CreateRegisteredModelRequest` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.tag import Tag


@dataclass(repr=False, eq=False)
class CreateRegisteredModelRequest(ApiModel):
    """The API's `CreateRegisteredModelRequest` document."""

    project_id: str | None = None
    experiment_id: str | None = None
    run_id: str | None = None
    model_path: str | None = None
    model_name: str | None = None
    tags: list[Tag] | None = None
    description: str | None = None
    notes: str | None = None
    visibility: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "project_id": "str",
        "experiment_id": "str",
        "run_id": "str",
        "model_path": "str",
        "model_name": "str",
        "tags": "list[Tag]",
        "description": "str",
        "notes": "str",
        "visibility": "Visibility",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "project_id": "project_id",
        "experiment_id": "experiment_id",
        "run_id": "run_id",
        "model_path": "model_path",
        "model_name": "model_name",
        "tags": "tags",
        "description": "description",
        "notes": "notes",
        "visibility": "visibility",
    }
