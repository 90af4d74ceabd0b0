# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ListExperimentsResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.experiment import Experiment


@dataclass(repr=False, eq=False)
class ListExperimentsResponse(ApiModel):
    """The API's `ListExperimentsResponse` document."""

    experiments: list[Experiment] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "experiments": "list[Experiment]",
        "next_page_token": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "experiments": "experiments",
        "next_page_token": "next_page_token",
    }
