# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ListExperimentRunsResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.experiment_run import ExperimentRun


@dataclass(repr=False, eq=False)
class ListExperimentRunsResponse(ApiModel):
    """The API's `ListExperimentRunsResponse` document."""

    experiment_runs: list[ExperimentRun] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "experiment_runs": "list[ExperimentRun]",
        "next_page_token": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "experiment_runs": "experiment_runs",
        "next_page_token": "next_page_token",
    }
