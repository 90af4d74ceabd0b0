# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `AcceleratorNodeLabel` document."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class AcceleratorNodeLabel(ApiModel):
    """The API's `AcceleratorNodeLabel` document."""

    id: str | int | None = None
    label_key: str | None = None
    label_value: str | None = None
    availability: bool | None = None
    max_gpu_count: str | int | None = None
    current_gpu_count: str | int | None = None
    max_gpu_per_workload: str | int | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "label_key": "str",
        "label_value": "str",
        "availability": "bool",
        "max_gpu_count": "str",
        "current_gpu_count": "str",
        "max_gpu_per_workload": "str",
        "created_at": "datetime",
        "updated_at": "datetime",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "id": "id",
        "label_key": "label_key",
        "label_value": "label_value",
        "availability": "availability",
        "max_gpu_count": "max_gpu_count",
        "current_gpu_count": "current_gpu_count",
        "max_gpu_per_workload": "max_gpu_per_workload",
        "created_at": "created_at",
        "updated_at": "updated_at",
    }
