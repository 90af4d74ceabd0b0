# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ListRuntimesResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.runtime import Runtime


@dataclass(repr=False, eq=False)
class ListRuntimesResponse(ApiModel):
    """The API's `ListRuntimesResponse` document."""

    runtimes: list[Runtime] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "runtimes": "list[Runtime]",
        "next_page_token": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "runtimes": "runtimes",
        "next_page_token": "next_page_token",
    }
