# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `DefaultReplicationPolicy` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class DefaultReplicationPolicy(ApiModel):
    """The API's `DefaultReplicationPolicy` document."""

    num_replicas: str | int | None = None
    type: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "num_replicas": "str",
        "type": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "num_replicas": "num_replicas",
        "type": "type",
    }
