# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `RegisteredModelMetadata` document."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class RegisteredModelMetadata(ApiModel):
    """The API's `RegisteredModelMetadata` document."""

    model_path: str | None = None
    model_name: str | None = None
    model_id: str | None = None
    model_version_id: str | None = None
    version_number: int | None = None
    run_id: str | None = None
    created_at: datetime.datetime | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "model_path": "str",
        "model_name": "str",
        "model_id": "str",
        "model_version_id": "str",
        "version_number": "int",
        "run_id": "str",
        "created_at": "datetime",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "model_path": "model_path",
        "model_name": "model_name",
        "model_id": "model_id",
        "model_version_id": "model_version_id",
        "version_number": "version_number",
        "run_id": "run_id",
        "created_at": "created_at",
    }
