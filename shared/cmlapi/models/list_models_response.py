# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ListModelsResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.model import Model


@dataclass(repr=False, eq=False)
class ListModelsResponse(ApiModel):
    """The API's `ListModelsResponse` document."""

    models: list[Model] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "models": "list[Model]",
        "next_page_token": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "models": "models",
        "next_page_token": "next_page_token",
    }
