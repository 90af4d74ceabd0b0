# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `GetExperimentRunMetricsResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.metric import Metric


@dataclass(repr=False, eq=False)
class GetExperimentRunMetricsResponse(ApiModel):
    """The API's `GetExperimentRunMetricsResponse` document."""

    metrics: list[Metric] | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "metrics": "list[Metric]",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "metrics": "metrics",
    }
