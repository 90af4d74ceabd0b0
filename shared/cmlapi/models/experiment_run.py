# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ExperimentRun` document."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.experiment_run_data import ExperimentRunData
from cmlapi.models.short_user import ShortUser


@dataclass(repr=False, eq=False)
class ExperimentRun(ApiModel):
    """The API's `ExperimentRun` document."""

    id: str | None = None
    experiment_id: str | None = None
    user: ShortUser | None = None
    status: str | None = None
    start_time: datetime.datetime | None = None
    end_time: datetime.datetime | None = None
    artifact_uri: str | None = None
    data: ExperimentRunData | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "experiment_id": "str",
        "user": "ShortUser",
        "status": "ExperimentRunStatus",
        "start_time": "datetime",
        "end_time": "datetime",
        "artifact_uri": "str",
        "data": "ExperimentRunData",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "id": "id",
        "experiment_id": "experiment_id",
        "user": "user",
        "status": "status",
        "start_time": "start_time",
        "end_time": "end_time",
        "artifact_uri": "artifact_uri",
        "data": "data",
    }
