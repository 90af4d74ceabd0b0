# Generated from description.json by codegen/generate.py: do not edit.
"""The documents of the API."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


class EngineStatus:
    """Values of `EngineStatus`, which travel as plain strings."""

    SCHEDULING = "ENGINE_SCHEDULING"
    STARTING = "ENGINE_STARTING"
    RUNNING = "ENGINE_RUNNING"
    STOPPING = "ENGINE_STOPPING"
    STOPPED = "ENGINE_STOPPED"
    UNKNOWN = "ENGINE_UNKNOWN"
    SUCCEEDED = "ENGINE_SUCCEEDED"
    FAILED = "ENGINE_FAILED"
    TIMEDOUT = "ENGINE_TIMEDOUT"


class MLOPSType:
    """Values of `MLOPSType`, which travel as plain strings."""

    MLFLOW = "MLFLOW"
    SIMPLE = "SIMPLE"


class Visibility:
    """Values of `Visibility`, which travel as plain strings."""

    PRIVATE = "PRIVATE"
    PUBLIC = "PUBLIC"


@dataclass(repr=False)
class AcceleratorNodeLabel(ApiModel):
    """The API's `AcceleratorNodeLabel` document."""

    id: str | None = None
    label_key: str | None = None
    label_value: str | None = None
    availability: bool | None = None
    max_gpu_count: str | None = None
    current_gpu_count: str | None = None
    max_gpu_per_workload: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "label_key": "str",
        "label_value": "str",
        "availability": "bool",
        "max_gpu_count": "str",
        "current_gpu_count": "str",
        "max_gpu_per_workload": "str",
        "created_at": "datetime",
        "updated_at": "datetime",
    }


@dataclass(repr=False)
class CreateJobRequest(ApiModel):
    """The API's `CreateJobRequest` document."""

    project_id: str | None = None
    name: str | None = None
    script: str | None = None
    cpu: float | None = None
    memory: float | None = None
    nvidia_gpu: int | None = None
    parent_job_id: str | None = None
    environment: dict[str, str] | None = None
    arguments: str | None = None
    timeout: int | None = None
    schedule: str | None = None
    kernel: str | None = None
    recipients: list[JobRecipient] | None = None
    attachments: list[str] | None = None
    runtime_identifier: str | None = None
    runtime_addon_identifiers: list[str] | None = None
    kill_on_timeout: bool | None = None
    timezone: str | None = None
    paused: bool | None = None
    parent_id: str | None = None
    success_recipients: str | None = None
    failure_recipients: str | None = None
    timeout_recipients: str | None = None
    stopped_recipients: str | None = None
    run_as: int | None = None
    accelerator_label_id: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "project_id": "str",
        "name": "str",
        "script": "str",
        "cpu": "float",
        "memory": "float",
        "nvidia_gpu": "int",
        "parent_job_id": "str",
        "environment": "dict(str, str)",
        "arguments": "str",
        "timeout": "int",
        "schedule": "str",
        "kernel": "str",
        "recipients": "list[JobRecipient]",
        "attachments": "list[str]",
        "runtime_identifier": "str",
        "runtime_addon_identifiers": "list[str]",
        "kill_on_timeout": "bool",
        "timezone": "str",
        "paused": "bool",
        "parent_id": "str",
        "success_recipients": "str",
        "failure_recipients": "str",
        "timeout_recipients": "str",
        "stopped_recipients": "str",
        "run_as": "int",
        "accelerator_label_id": "str",
    }


@dataclass(repr=False)
class CreateJobRunRequest(ApiModel):
    """The API's `CreateJobRunRequest` document."""

    project_id: str | None = None
    job_id: str | None = None
    environment: dict[str, str] | None = None
    arguments: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "project_id": "str",
        "job_id": "str",
        "environment": "dict(str, str)",
        "arguments": "str",
    }


@dataclass(repr=False)
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


@dataclass(repr=False)
class CreateModelDeploymentRequest(ApiModel):
    """The API's `CreateModelDeploymentRequest` document."""

    project_id: str | None = None
    model_id: str | None = None
    build_id: str | None = None
    cpu: float | None = None
    memory: float | None = None
    nvidia_gpus: int | None = None
    environment: dict[str, str] | None = None
    replicas: int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "project_id": "str",
        "model_id": "str",
        "build_id": "str",
        "cpu": "float",
        "memory": "float",
        "nvidia_gpus": "int",
        "environment": "dict(str, str)",
        "replicas": "int",
    }


@dataclass(repr=False)
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
    accelerator_label_id: str | None = None

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


@dataclass(repr=False)
class CreateRegisteredModelRequest(ApiModel):
    """The API's `CreateRegisteredModelRequest` document."""

    project_id: str | None = None
    experiment_id: str | None = None
    run_id: str | None = None
    model_path: str | None = None
    model_name: str | None = None
    tags: list[Tag] | None = None
    description: str | None = None
    notes: str | None = None
    visibility: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "project_id": "str",
        "experiment_id": "str",
        "run_id": "str",
        "model_path": "str",
        "model_name": "str",
        "tags": "list[Tag]",
        "description": "str",
        "notes": "str",
        "visibility": "Visibility",
    }


@dataclass(repr=False)
class DefaultReplicationPolicy(ApiModel):
    """The API's `DefaultReplicationPolicy` document."""

    num_replicas: str | None = None
    type: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "num_replicas": "str",
        "type": "str",
    }


@dataclass(repr=False)
class DefaultResources(ApiModel):
    """The API's `DefaultResources` document."""

    cpu_millicores: str | None = None
    memory_mb: str | None = None
    nvidia_gpus: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "cpu_millicores": "str",
        "memory_mb": "str",
        "nvidia_gpus": "str",
    }


@dataclass(repr=False)
class DeleteJobResponse(ApiModel):
    """The API's `DeleteJobResponse` document."""

    swagger_types: ClassVar[dict[str, str]] = {}


@dataclass(repr=False)
class DeleteModelBuildResponse(ApiModel):
    """The API's `DeleteModelBuildResponse` document."""

    swagger_types: ClassVar[dict[str, str]] = {}


@dataclass(repr=False)
class DeleteModelResponse(ApiModel):
    """The API's `DeleteModelResponse` document."""

    swagger_types: ClassVar[dict[str, str]] = {}


@dataclass(repr=False)
class DeleteRegisteredModelResponse(ApiModel):
    """The API's `DeleteRegisteredModelResponse` document."""

    swagger_types: ClassVar[dict[str, str]] = {}


@dataclass(repr=False)
class DeleteRegisteredModelVersionResponse(ApiModel):
    """The API's `DeleteRegisteredModelVersionResponse` document."""

    swagger_types: ClassVar[dict[str, str]] = {}


@dataclass(repr=False)
class FileInfo(ApiModel):
    """The API's `FileInfo` document."""

    path: str | None = None
    is_dir: bool | None = None
    file_size: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "path": "str",
        "is_dir": "bool",
        "file_size": "str",
    }


@dataclass(repr=False)
class Job(ApiModel):
    """The API's `Job` document."""

    id: str | None = None
    cpu: float | None = None
    created_at: datetime.datetime | None = None
    creator: ShortUser | None = None
    engine_image_id: str | None = None
    english_schedule: str | None = None
    arguments: str | None = None
    type: str | None = None
    kernel: str | None = None
    memory: float | None = None
    name: str | None = None
    parent_id: str | None = None
    paused: bool | None = None
    schedule: str | None = None
    script: str | None = None
    timeout: str | None = None
    timezone: str | None = None
    updated_at: datetime.datetime | None = None
    environment: str | None = None
    nvidia_gpu: int | None = None
    runtime_identifier: str | None = None
    runtime_addon_identifiers: list[str] | None = None
    kill_on_timeout: bool | None = None
    project: ShortProject | None = None
    owner: ShortUser | None = None
    run_as: int | None = None
    accelerator_label_id: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "cpu": "float",
        "created_at": "datetime",
        "creator": "ShortUser",
        "engine_image_id": "str",
        "english_schedule": "str",
        "arguments": "str",
        "type": "str",
        "kernel": "str",
        "memory": "float",
        "name": "str",
        "parent_id": "str",
        "paused": "bool",
        "schedule": "str",
        "script": "str",
        "timeout": "str",
        "timezone": "str",
        "updated_at": "datetime",
        "environment": "str",
        "nvidia_gpu": "int",
        "runtime_identifier": "str",
        "runtime_addon_identifiers": "list[str]",
        "kill_on_timeout": "bool",
        "project": "ShortProject",
        "owner": "ShortUser",
        "run_as": "int",
        "accelerator_label_id": "str",
    }


@dataclass(repr=False)
class JobRecipient(ApiModel):
    """The API's `JobRecipient` document."""

    email: str | None = None
    notify_on_success: bool | None = None
    notify_on_failure: bool | None = None
    notify_on_timeout: bool | None = None
    notify_on_stop: bool | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "email": "str",
        "notify_on_success": "bool",
        "notify_on_failure": "bool",
        "notify_on_timeout": "bool",
        "notify_on_stop": "bool",
    }


@dataclass(repr=False)
class JobRun(ApiModel):
    """The API's `JobRun` document."""

    project_id: str | None = None
    job_id: str | None = None
    status: str | None = None
    id: str | None = None
    created_at: datetime.datetime | None = None
    scheduling_at: datetime.datetime | None = None
    starting_at: datetime.datetime | None = None
    running_at: datetime.datetime | None = None
    finished_at: datetime.datetime | None = None
    kernel: str | None = None
    cpu: float | None = None
    memory: float | None = None
    nvidia_gpu: int | None = None
    arguments: str | None = None
    environment: str | None = None
    creator: ShortUser | None = None
    runtime_identifier: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "project_id": "str",
        "job_id": "str",
        "status": "EngineStatus",
        "id": "str",
        "created_at": "datetime",
        "scheduling_at": "datetime",
        "starting_at": "datetime",
        "running_at": "datetime",
        "finished_at": "datetime",
        "kernel": "str",
        "cpu": "float",
        "memory": "float",
        "nvidia_gpu": "int",
        "arguments": "str",
        "environment": "str",
        "creator": "ShortUser",
        "runtime_identifier": "str",
    }


@dataclass(repr=False)
class ListAllAcceleratorsNodeLabelsResponse(ApiModel):
    """The API's `ListAllAcceleratorsNodeLabelsResponse` document."""

    accelerator_node_label: list[AcceleratorNodeLabel] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "accelerator_node_label": "list[AcceleratorNodeLabel]",
        "next_page_token": "str",
    }


@dataclass(repr=False)
class ListJobRunsResponse(ApiModel):
    """The API's `ListJobRunsResponse` document."""

    job_runs: list[JobRun] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "job_runs": "list[JobRun]",
        "next_page_token": "str",
    }


@dataclass(repr=False)
class ListJobsResponse(ApiModel):
    """The API's `ListJobsResponse` document."""

    jobs: list[Job] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "jobs": "list[Job]",
        "next_page_token": "str",
    }


@dataclass(repr=False)
class ListModelBuildsResponse(ApiModel):
    """The API's `ListModelBuildsResponse` document."""

    model_builds: list[ModelBuild] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "model_builds": "list[ModelBuild]",
        "next_page_token": "str",
    }


@dataclass(repr=False)
class ListModelDeploymentsResponse(ApiModel):
    """The API's `ListModelDeploymentsResponse` document."""

    model_deployments: list[ModelDeployment] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "model_deployments": "list[ModelDeployment]",
        "next_page_token": "str",
    }


@dataclass(repr=False)
class ListModelsResponse(ApiModel):
    """The API's `ListModelsResponse` document."""

    models: list[Model] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "models": "list[Model]",
        "next_page_token": "str",
    }


@dataclass(repr=False)
class ListProjectFilesResponse(ApiModel):
    """The API's `ListProjectFilesResponse` document."""

    files: list[FileInfo] | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "files": "list[FileInfo]",
    }


@dataclass(repr=False)
class ListProjectsResponse(ApiModel):
    """The API's `ListProjectsResponse` document."""

    projects: list[Project] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "projects": "list[Project]",
        "next_page_token": "str",
    }


@dataclass(repr=False)
class ListRegisteredModelsResponse(ApiModel):
    """The API's `ListRegisteredModelsResponse` document."""

    models: list[RegisteredModelDetails] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "models": "list[RegisteredModelDetails]",
        "next_page_token": "str",
    }


@dataclass(repr=False)
class ListRuntimesResponse(ApiModel):
    """The API's `ListRuntimesResponse` document."""

    runtimes: list[Runtime] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "runtimes": "list[Runtime]",
        "next_page_token": "str",
    }


@dataclass(repr=False)
class MLflowMetadata(ApiModel):
    """The API's `MLflowMetadata` document."""

    experiment_id: str | None = None
    run_id: str | None = None
    metrics: list[Metric] | None = None
    params: list[Tag] | None = None
    tags: list[Tag] | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "experiment_id": "str",
        "run_id": "str",
        "metrics": "list[Metric]",
        "params": "list[Tag]",
        "tags": "list[Tag]",
    }


@dataclass(repr=False)
class Metric(ApiModel):
    """The API's `Metric` document."""

    key: str | None = None
    value: float | None = None
    timestamp: datetime.datetime | None = None
    step: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "key": "str",
        "value": "float",
        "timestamp": "datetime",
        "step": "str",
    }


@dataclass(repr=False)
class Model(ApiModel):
    """The API's `Model` document."""

    id: str | None = None
    name: str | None = None
    description: str | None = None
    creator: ShortUser | None = None
    access_key: str | None = None
    deletion_status: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    crn: str | None = None
    auth_enabled: bool | None = None
    project: ShortProject | None = None
    registered_model_id: str | None = None
    visibility: str | None = None
    default_resources: DefaultResources | None = None
    default_replication_policy: DefaultReplicationPolicy | None = None
    run_as: int | None = None
    accelerator_label_id: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "name": "str",
        "description": "str",
        "creator": "ShortUser",
        "access_key": "str",
        "deletion_status": "str",
        "created_at": "datetime",
        "updated_at": "datetime",
        "crn": "str",
        "auth_enabled": "bool",
        "project": "ShortProject",
        "registered_model_id": "str",
        "visibility": "str",
        "default_resources": "DefaultResources",
        "default_replication_policy": "DefaultReplicationPolicy",
        "run_as": "int",
        "accelerator_label_id": "str",
    }


@dataclass(repr=False)
class ModelBuild(ApiModel):
    """The API's `ModelBuild` document."""

    id: str | None = None
    model_id: str | None = None
    creator: ShortUser | None = None
    comment: str | None = None
    file_path: str | None = None
    function_name: str | None = None
    engine_image: str | None = None
    kernel: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    status: str | None = None
    deletion_status: str | None = None
    crn: str | None = None
    built_at: datetime.datetime | None = None
    runtime_identifier: str | None = None
    runtime_addon_identifiers: list[str] | None = None
    registered_model_version_id: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "model_id": "str",
        "creator": "ShortUser",
        "comment": "str",
        "file_path": "str",
        "function_name": "str",
        "engine_image": "str",
        "kernel": "str",
        "created_at": "datetime",
        "updated_at": "datetime",
        "status": "str",
        "deletion_status": "str",
        "crn": "str",
        "built_at": "datetime",
        "runtime_identifier": "str",
        "runtime_addon_identifiers": "list[str]",
        "registered_model_version_id": "str",
    }


@dataclass(repr=False)
class ModelDeployment(ApiModel):
    """The API's `ModelDeployment` document."""

    project_id: str | None = None
    model_id: str | None = None
    build_id: str | None = None
    id: str | None = None
    cpu: float | None = None
    memory: float | None = None
    nvidia_gpu: int | None = None
    environment: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    stopped_at: datetime.datetime | None = None
    crn: str | None = None
    deployer: ShortUser | None = None
    status: str | None = None
    replicas: int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "project_id": "str",
        "model_id": "str",
        "build_id": "str",
        "id": "str",
        "cpu": "float",
        "memory": "float",
        "nvidia_gpu": "int",
        "environment": "str",
        "created_at": "datetime",
        "updated_at": "datetime",
        "stopped_at": "datetime",
        "crn": "str",
        "deployer": "ShortUser",
        "status": "str",
        "replicas": "int",
    }


@dataclass(repr=False)
class ModelVersionMetadata(ApiModel):
    """The API's `ModelVersionMetadata` document."""

    mlops_type: str | None = None
    tags: list[Tag] | None = None
    workspace_url: str | None = None
    project_id: str | None = None
    owner: ShortUser | None = None
    mlflow_metadata: MLflowMetadata | None = None
    simple_metadata: SimpleMetadata | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "mlops_type": "MLOPSType",
        "tags": "list[Tag]",
        "workspace_url": "str",
        "project_id": "str",
        "owner": "ShortUser",
        "mlflow_metadata": "MLflowMetadata",
        "simple_metadata": "SimpleMetadata",
    }


@dataclass(repr=False)
class Project(ApiModel):
    """The API's `Project` document."""

    id: str | None = None
    name: str | None = None
    owner: ShortUser | None = None
    creator: ShortUser | None = None
    description: str | None = None
    visibility: str | None = None
    default_engine_type: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    creation_status: str | None = None
    permissions: ProjectPermissions | None = None
    shared_memory_limit: int | None = None
    environment: str | None = None
    ephemeral_storage_request: int | None = None
    ephemeral_storage_limit: int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "name": "str",
        "owner": "ShortUser",
        "creator": "ShortUser",
        "description": "str",
        "visibility": "str",
        "default_engine_type": "str",
        "created_at": "datetime",
        "updated_at": "datetime",
        "creation_status": "str",
        "permissions": "ProjectPermissions",
        "shared_memory_limit": "int",
        "environment": "str",
        "ephemeral_storage_request": "int",
        "ephemeral_storage_limit": "int",
    }


@dataclass(repr=False)
class ProjectPermissions(ApiModel):
    """The API's `ProjectPermissions` document."""

    read: bool | None = None
    write: bool | None = None
    admin: bool | None = None
    business_user: bool | None = None
    operator: bool | None = None
    inherit: bool | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "read": "bool",
        "write": "bool",
        "admin": "bool",
        "business_user": "bool",
        "operator": "bool",
        "inherit": "bool",
    }


@dataclass(repr=False)
class RegisteredModel(ApiModel):
    """The API's `RegisteredModel` document."""

    model_id: str | None = None
    name: str | None = None
    description: str | None = None
    owner: ShortUser | None = None
    permission: str | None = None
    visibility: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    count: int | None = None
    model_versions: list[RegisteredModelVersion] | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "model_id": "str",
        "name": "str",
        "description": "str",
        "owner": "ShortUser",
        "permission": "str",
        "visibility": "Visibility",
        "created_at": "datetime",
        "updated_at": "datetime",
        "count": "int",
        "model_versions": "list[RegisteredModelVersion]",
        "next_page_token": "str",
    }


@dataclass(repr=False)
class RegisteredModelDetails(ApiModel):
    """The API's `RegisteredModelDetails` document."""

    model_id: str | None = None
    name: str | None = None
    description: str | None = None
    owner: ShortUser | None = None
    permission: str | None = None
    visibility: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    count: int | None = None
    next_page_token: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "model_id": "str",
        "name": "str",
        "description": "str",
        "owner": "ShortUser",
        "permission": "str",
        "visibility": "Visibility",
        "created_at": "datetime",
        "updated_at": "datetime",
        "count": "int",
        "next_page_token": "str",
    }


@dataclass(repr=False)
class RegisteredModelVersion(ApiModel):
    """The API's `RegisteredModelVersion` document."""

    model_id: str | None = None
    model_version_id: str | None = None
    version_name: str | None = None
    number: int | None = None
    notes: str | None = None
    user: ShortUser | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    status: str | None = None
    model_version_metadata: ModelVersionMetadata | None = None
    tags: list[Tag] | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "model_id": "str",
        "model_version_id": "str",
        "version_name": "str",
        "number": "int",
        "notes": "str",
        "user": "ShortUser",
        "created_at": "datetime",
        "updated_at": "datetime",
        "status": "str",
        "model_version_metadata": "ModelVersionMetadata",
        "tags": "list[Tag]",
    }


@dataclass(repr=False)
class Runtime(ApiModel):
    """The API's `Runtime` document."""

    image_identifier: str | None = None
    editor: str | None = None
    kernel: str | None = None
    edition: str | None = None
    description: str | None = None
    full_version: str | None = None
    status: str | None = None
    register_user_id: int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "image_identifier": "str",
        "editor": "str",
        "kernel": "str",
        "edition": "str",
        "description": "str",
        "full_version": "str",
        "status": "str",
        "register_user_id": "int",
    }


@dataclass(repr=False)
class ShortCreateModelBuild(ApiModel):
    """The API's `ShortCreateModelBuild` document."""

    comment: str | None = None
    file_path: str | None = None
    function_name: str | None = None
    kernel: str | None = None
    runtime_identifier: str | None = None
    runtime_addon_identifiers: list[str] | None = None
    registered_model_version_id: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "comment": "str",
        "file_path": "str",
        "function_name": "str",
        "kernel": "str",
        "runtime_identifier": "str",
        "runtime_addon_identifiers": "list[str]",
        "registered_model_version_id": "str",
    }


@dataclass(repr=False)
class ShortCreateModelDeployment(ApiModel):
    """The API's `ShortCreateModelDeployment` document."""

    cpu: float | None = None
    memory: float | None = None
    nvidia_gpus: int | None = None
    environment: dict[str, str] | None = None
    replicas: int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "cpu": "float",
        "memory": "float",
        "nvidia_gpus": "int",
        "environment": "dict(str, str)",
        "replicas": "int",
    }


@dataclass(repr=False)
class ShortProject(ApiModel):
    """The API's `ShortProject` document."""

    public_identifier: str | None = None
    name: str | None = None
    default_project_engine: str | None = None
    slug: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "public_identifier": "str",
        "name": "str",
        "default_project_engine": "str",
        "slug": "str",
    }


@dataclass(repr=False)
class ShortUser(ApiModel):
    """The API's `ShortUser` document."""

    username: str | None = None
    name: str | None = None
    email: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "username": "str",
        "name": "str",
        "email": "str",
    }


@dataclass(repr=False)
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


@dataclass(repr=False)
class Tag(ApiModel):
    """The API's `Tag` document."""

    key: str | None = None
    value: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "key": "str",
        "value": "str",
    }


@dataclass(repr=False)
class UpdateSingleModel(ApiModel):
    """The API's `UpdateSingleModel` document."""

    id: str | None = None
    name: str | None = None
    description: str | None = None
    visibility: str | None = None
    default_resources: DefaultResources | None = None
    default_replication_policy: DefaultReplicationPolicy | None = None
    run_as: int | None = None
    accelerator_label_id: str | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "id": "str",
        "name": "str",
        "description": "str",
        "visibility": "str",
        "default_resources": "DefaultResources",
        "default_replication_policy": "DefaultReplicationPolicy",
        "run_as": "int",
        "accelerator_label_id": "str",
    }
