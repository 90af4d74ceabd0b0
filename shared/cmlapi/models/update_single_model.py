# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `UpdateSingleModel` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.default_replication_policy import DefaultReplicationPolicy
from cmlapi.models.default_resources import DefaultResources


@dataclass(repr=False, eq=False)
class UpdateSingleModel(ApiModel):
    """The API's `UpdateSingleModel` document."""

    id: str | None = None
    name: str | None = None
    description: str | None = None
    visibility: str | None = None
    default_resources: DefaultResources | None = None
    default_replication_policy: DefaultReplicationPolicy | None = None
    run_as: int | None = None
    accelerator_label_id: str | int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "name": "str",
        "description": "str",
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
        "visibility": "visibility",
        "default_resources": "default_resources",
        "default_replication_policy": "default_replication_policy",
        "run_as": "run_as",
        "accelerator_label_id": "accelerator_label_id",
    }
