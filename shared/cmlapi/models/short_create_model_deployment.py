# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ShortCreateModelDeployment` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class ShortCreateModelDeployment(ApiModel):
    """The API's `ShortCreateModelDeployment` document."""

    cpu: float | None = None
    memory: float | None = None
    nvidia_gpus: int | None = None
    environment: dict[str, str] | None = None
    replicas: int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "cpu": "float",
        "memory": "float",
        "nvidia_gpus": "int",
        "environment": "dict(str, str)",
        "replicas": "int",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "cpu": "cpu",
        "memory": "memory",
        "nvidia_gpus": "nvidia_gpus",
        "environment": "environment",
        "replicas": "replicas",
    }
