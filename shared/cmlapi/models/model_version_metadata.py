# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ModelVersionMetadata` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.m_lflow_metadata import MLflowMetadata
from cmlapi.models.short_user import ShortUser
from cmlapi.models.simple_metadata import SimpleMetadata
from cmlapi.models.tag import Tag


@dataclass(repr=False, eq=False)
class ModelVersionMetadata(ApiModel):
    """The API's `ModelVersionMetadata` document."""

    mlops_type: str | None = None
    tags: list[Tag] | None = None
    workspace_url: str | None = None
    project_id: str | None = None
    owner: ShortUser | None = None
    mlflow_metadata: MLflowMetadata | None = None
    simple_metadata: SimpleMetadata | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "mlops_type": "MLOPSType",
        "tags": "list[Tag]",
        "workspace_url": "str",
        "project_id": "str",
        "owner": "ShortUser",
        "mlflow_metadata": "MLflowMetadata",
        "simple_metadata": "SimpleMetadata",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "mlops_type": "mlops_type",
        "tags": "tags",
        "workspace_url": "workspace_url",
        "project_id": "project_id",
        "owner": "owner",
        "mlflow_metadata": "mlflow_metadata",
        "simple_metadata": "simple_metadata",
    }
