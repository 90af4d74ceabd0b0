# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ExperimentRunData` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.file_info import FileInfo
from cmlapi.models.metric import Metric
from cmlapi.models.registered_model_metadata import RegisteredModelMetadata
from cmlapi.models.tag import Tag


@dataclass(repr=False, eq=False)
class ExperimentRunData(ApiModel):
    """The API's `ExperimentRunData` document."""

    metrics: list[Metric] | None = None
    params: list[Tag] | None = None
    tags: list[Tag] | None = None
    files: list[FileInfo] | None = None
    registered_model_metadata: list[RegisteredModelMetadata] | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "metrics": "list[Metric]",
        "params": "list[Tag]",
        "tags": "list[Tag]",
        "files": "list[FileInfo]",
        "registered_model_metadata": "list[RegisteredModelMetadata]",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "metrics": "metrics",
        "params": "params",
        "tags": "tags",
        "files": "files",
        "registered_model_metadata": "registered_model_metadata",
    }
