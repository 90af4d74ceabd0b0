# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `CreateModelBuildRequest` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.short_create_model_deployment import ShortCreateModelDeployment


@dataclass(repr=False, eq=False)
class CreateModelBuildRequest(ApiModel):
    """The API's `CreateModelBuildRequest` document."""

    project_id: str | None = None
    model_id: str | None = None
    comment: str | None = None
    file_path: str | None = None
    function_name: str | None = None
    kernel: str | None = None
    runtime_identifier: str | None = None
    runtime_addon_identifiers: list[str] | None = None
    registered_model_version_id: str | None = None
    auto_deployment_config: ShortCreateModelDeployment | None = None
    auto_deploy_model: bool | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "project_id": "str",
        "model_id": "str",
        "comment": "str",
        "file_path": "str",
        "function_name": "str",
        "kernel": "str",
        "runtime_identifier": "str",
        "runtime_addon_identifiers": "list[str]",
        "registered_model_version_id": "str",
        "auto_deployment_config": "ShortCreateModelDeployment",
        "auto_deploy_model": "bool",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "project_id": "project_id",
        "model_id": "model_id",
        "comment": "comment",
        "file_path": "file_path",
        "function_name": "function_name",
        "kernel": "kernel",
        "runtime_identifier": "runtime_identifier",
        "runtime_addon_identifiers": "runtime_addon_identifiers",
        "registered_model_version_id": "registered_model_version_id",
        "auto_deployment_config": "auto_deployment_config",
        "auto_deploy_model": "auto_deploy_model",
    }
