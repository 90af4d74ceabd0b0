# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `CreateModelRequest` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.short_create_model_build import ShortCreateModelBuild
from cmlapi.models.short_create_model_deployment import ShortCreateModelDeployment


@dataclass(repr=False, eq=False)
class CreateModelRequest(ApiModel):
    """The API's `CreateModelRequest` document."""

    project_id: str | None = None
    name: str | None = None
    description: str | None = None
    disable_authentication: bool | None = None
    registered_model_id: str | None = None
    run_as: int | None = None
    visibility: str | None = None
    auto_build_config: ShortCreateModelBuild | None = None
    auto_deployment_config: ShortCreateModelDeployment | None = None
    auto_build_model: bool | None = None
    auto_deploy_model: bool | None = None
    accelerator_label_id: str | int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "project_id": "str",
        "name": "str",
        "description": "str",
        "disable_authentication": "bool",
        "registered_model_id": "str",
        "run_as": "int",
        "visibility": "str",
        "auto_build_config": "ShortCreateModelBuild",
        "auto_deployment_config": "ShortCreateModelDeployment",
        "auto_build_model": "bool",
        "auto_deploy_model": "bool",
        "accelerator_label_id": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "project_id": "project_id",
        "name": "name",
        "description": "description",
        "disable_authentication": "disable_authentication",
        "registered_model_id": "registered_model_id",
        "run_as": "run_as",
        "visibility": "visibility",
        "auto_build_config": "auto_build_config",
        "auto_deployment_config": "auto_deployment_config",
        "auto_build_model": "auto_build_model",
        "auto_deploy_model": "auto_deploy_model",
        "accelerator_label_id": "accelerator_label_id",
    }
