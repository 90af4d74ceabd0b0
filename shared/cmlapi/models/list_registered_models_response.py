# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ListRegisteredModelsResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.registered_model_details import RegisteredModelDetails


@dataclass(repr=False, eq=False)
class ListRegisteredModelsResponse(ApiModel):
    """The API's `ListRegisteredModelsResponse` document."""

    models: list[RegisteredModelDetails] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "models": "list[RegisteredModelDetails]",
        "next_page_token": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "models": "models",
        "next_page_token": "next_page_token",
    }
