# Generated from description.json by codegen/generate.py: do not edit.
"""The documents of the API, each from a module of its own."""

from cmlapi.models.accelerator_node_label import AcceleratorNodeLabel
from cmlapi.models.application import Application
from cmlapi.models.application_status import ApplicationStatus
from cmlapi.models.create_job_request import CreateJobRequest
from cmlapi.models.create_job_run_request import CreateJobRunRequest
from cmlapi.models.create_model_build_request import CreateModelBuildRequest
from cmlapi.models.create_model_deployment_request import CreateModelDeploymentRequest
from cmlapi.models.create_model_request import CreateModelRequest
from cmlapi.models.create_registered_model_request import CreateRegisteredModelRequest
from cmlapi.models.default_replication_policy import DefaultReplicationPolicy
from cmlapi.models.default_resources import DefaultResources
from cmlapi.models.delete_job_response import DeleteJobResponse
from cmlapi.models.delete_model_build_response import DeleteModelBuildResponse
from cmlapi.models.delete_model_response import DeleteModelResponse
from cmlapi.models.delete_registered_model_response import DeleteRegisteredModelResponse
from cmlapi.models.delete_registered_model_version_response import (
    DeleteRegisteredModelVersionResponse,
)
from cmlapi.models.engine_status import EngineStatus
from cmlapi.models.experiment import Experiment
from cmlapi.models.experiment_run import ExperimentRun
from cmlapi.models.experiment_run_data import ExperimentRunData
from cmlapi.models.experiment_run_status import ExperimentRunStatus
from cmlapi.models.file_info import FileInfo
from cmlapi.models.get_experiment_run_metrics_response import GetExperimentRunMetricsResponse
from cmlapi.models.job import Job
from cmlapi.models.job_recipient import JobRecipient
from cmlapi.models.job_run import JobRun
from cmlapi.models.list_all_accelerators_node_labels_response import (
    ListAllAcceleratorsNodeLabelsResponse,
)
from cmlapi.models.list_applications_response import ListApplicationsResponse
from cmlapi.models.list_experiment_runs_response import ListExperimentRunsResponse
from cmlapi.models.list_experiments_response import ListExperimentsResponse
from cmlapi.models.list_job_runs_response import ListJobRunsResponse
from cmlapi.models.list_jobs_response import ListJobsResponse
from cmlapi.models.list_model_builds_response import ListModelBuildsResponse
from cmlapi.models.list_model_deployments_response import ListModelDeploymentsResponse
from cmlapi.models.list_models_response import ListModelsResponse
from cmlapi.models.list_project_files_response import ListProjectFilesResponse
from cmlapi.models.list_projects_response import ListProjectsResponse
from cmlapi.models.list_registered_models_response import ListRegisteredModelsResponse
from cmlapi.models.list_runtimes_response import ListRuntimesResponse
from cmlapi.models.m_lflow_metadata import MLflowMetadata
from cmlapi.models.metric import Metric
from cmlapi.models.mlops_type import MLOPSType
from cmlapi.models.model import Model
from cmlapi.models.model_build import ModelBuild
from cmlapi.models.model_deployment import ModelDeployment
from cmlapi.models.model_version_metadata import ModelVersionMetadata
from cmlapi.models.project import Project
from cmlapi.models.project_permissions import ProjectPermissions
from cmlapi.models.registered_model import RegisteredModel
from cmlapi.models.registered_model_details import RegisteredModelDetails
from cmlapi.models.registered_model_metadata import RegisteredModelMetadata
from cmlapi.models.registered_model_version import RegisteredModelVersion
from cmlapi.models.runtime import Runtime
from cmlapi.models.short_create_model_build import ShortCreateModelBuild
from cmlapi.models.short_create_model_deployment import ShortCreateModelDeployment
from cmlapi.models.short_project import ShortProject
from cmlapi.models.short_user import ShortUser
from cmlapi.models.simple_metadata import SimpleMetadata
from cmlapi.models.tag import Tag
from cmlapi.models.update_single_model import UpdateSingleModel
from cmlapi.models.visibility import Visibility

__all__ = [
    "AcceleratorNodeLabel",
    "Application",
    "ApplicationStatus",
    "CreateJobRequest",
    "CreateJobRunRequest",
    "CreateModelBuildRequest",
    "CreateModelDeploymentRequest",
    "CreateModelRequest",
    "CreateRegisteredModelRequest",
    "DefaultReplicationPolicy",
    "DefaultResources",
    "DeleteJobResponse",
    "DeleteModelBuildResponse",
    "DeleteModelResponse",
    "DeleteRegisteredModelResponse",
    "DeleteRegisteredModelVersionResponse",
    "EngineStatus",
    "Experiment",
    "ExperimentRun",
    "ExperimentRunData",
    "ExperimentRunStatus",
    "FileInfo",
    "GetExperimentRunMetricsResponse",
    "Job",
    "JobRecipient",
    "JobRun",
    "ListAllAcceleratorsNodeLabelsResponse",
    "ListApplicationsResponse",
    "ListExperimentRunsResponse",
    "ListExperimentsResponse",
    "ListJobRunsResponse",
    "ListJobsResponse",
    "ListModelBuildsResponse",
    "ListModelDeploymentsResponse",
    "ListModelsResponse",
    "ListProjectFilesResponse",
    "ListProjectsResponse",
    "ListRegisteredModelsResponse",
    "ListRuntimesResponse",
    "MLOPSType",
    "MLflowMetadata",
    "Metric",
    "Model",
    "ModelBuild",
    "ModelDeployment",
    "ModelVersionMetadata",
    "Project",
    "ProjectPermissions",
    "RegisteredModel",
    "RegisteredModelDetails",
    "RegisteredModelMetadata",
    "RegisteredModelVersion",
    "Runtime",
    "ShortCreateModelBuild",
    "ShortCreateModelDeployment",
    "ShortProject",
    "ShortUser",
    "SimpleMetadata",
    "Tag",
    "UpdateSingleModel",
    "Visibility",
]
