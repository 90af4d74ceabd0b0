# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `SimpleMetadata` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.metric import Metric
from cmlapi.models.tag import Tag


@dataclass(repr=False, eq=False)
class SimpleMetadata(ApiModel):
    """The API's `SimpleMetadata` document."""

    git_url: str | None = None
    commit_id: str | None = None
    metrics: list[Metric] | None = None
    params: list[Tag] | None = None
    tags: list[Tag] | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "git_url": "str",
        "commit_id": "str",
        "metrics": "list[Metric]",
        "params": "list[Tag]",
        "tags": "list[Tag]",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "git_url": "git_url",
        "commit_id": "commit_id",
        "metrics": "metrics",
        "params": "params",
        "tags": "tags",
    }
