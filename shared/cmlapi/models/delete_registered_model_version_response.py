# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `DeleteRegisteredModelVersionResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class DeleteRegisteredModelVersionResponse(ApiModel):
    """The API's `DeleteRegisteredModelVersionResponse` document."""

    swagger_types: ClassVar[dict[str, str]] = {}
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {}
