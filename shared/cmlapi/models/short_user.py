# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ShortUser` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class ShortUser(ApiModel):
    """The API's `ShortUser` document."""

    username: str | None = None
    name: str | None = None
    email: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "username": "str",
        "name": "str",
        "email": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "username": "username",
        "name": "name",
        "email": "email",
    }
