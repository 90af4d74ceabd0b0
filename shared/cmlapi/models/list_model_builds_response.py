# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ListModelBuildsResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.model_build import ModelBuild


@dataclass(repr=False, eq=False)
class ListModelBuildsResponse(ApiModel):
    """The API's `ListModelBuildsResponse` document."""

    model_builds: list[ModelBuild] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "model_builds": "list[ModelBuild]",
        "next_page_token": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "model_builds": "model_builds",
        "next_page_token": "next_page_token",
    }
