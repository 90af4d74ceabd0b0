# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ListAllAcceleratorsNodeLabelsResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.accelerator_node_label import AcceleratorNodeLabel
from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class ListAllAcceleratorsNodeLabelsResponse(ApiModel):
    """The API's `ListAllAcceleratorsNodeLabelsResponse` document."""

    accelerator_node_label: list[AcceleratorNodeLabel] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "accelerator_node_label": "list[AcceleratorNodeLabel]",
        "next_page_token": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "accelerator_node_label": "accelerator_node_label",
        "next_page_token": "next_page_token",
    }
