# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `Tag` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class Tag(ApiModel):
    """The API's `Tag` document."""

    key: str | None = None
    value: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "key": "str",
        "value": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "key": "key",
        "value": "value",
    }
