# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `Metric` document."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class Metric(ApiModel):
    """The API's `Metric` document."""

    key: str | None = None
    value: float | None = None
    timestamp: datetime.datetime | None = None
    step: str | int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "key": "str",
        "value": "float",
        "timestamp": "datetime",
        "step": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "key": "key",
        "value": "value",
        "timestamp": "timestamp",
        "step": "step",
    }
