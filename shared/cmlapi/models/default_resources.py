# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `DefaultResources` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class DefaultResources(ApiModel):
    """The API's `DefaultResources` document."""

    cpu_millicores: str | int | None = None
    memory_mb: str | int | None = None
    nvidia_gpus: str | int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "cpu_millicores": "str",
        "memory_mb": "str",
        "nvidia_gpus": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "cpu_millicores": "cpu_millicores",
        "memory_mb": "memory_mb",
        "nvidia_gpus": "nvidia_gpus",
    }
