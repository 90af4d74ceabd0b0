# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `ListModelDeploymentsResponse` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.model_deployment import ModelDeployment


@dataclass(repr=False, eq=False)
class ListModelDeploymentsResponse(ApiModel):
    """The API's `ListModelDeploymentsResponse` document."""

    model_deployments: list[ModelDeployment] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "model_deployments": "list[ModelDeployment]",
        "next_page_token": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "model_deployments": "model_deployments",
        "next_page_token": "next_page_token",
    }
