# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `MLflowMetadata` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.metric import Metric
from cmlapi.models.tag import Tag


@dataclass(repr=False, eq=False)
class MLflowMetadata(ApiModel):
    """The API's `MLflowMetadata` document."""

    experiment_id: str | None = None
    run_id: str | None = None
    metrics: list[Metric] | None = None
    params: list[Tag] | None = None
    tags: list[Tag] | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "experiment_id": "str",
        "run_id": "str",
        "metrics": "list[Metric]",
        "params": "list[Tag]",
        "tags": "list[Tag]",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "experiment_id": "experiment_id",
        "run_id": "run_id",
        "metrics": "metrics",
        "params": "params",
        "tags": "tags",
    }
