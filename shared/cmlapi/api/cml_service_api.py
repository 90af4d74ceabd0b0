# Generated from description.json by codegen/generate.py: do not edit.
"""The API's operations as methods."""

from __future__ import annotations

from typing import Any

from cmlapi import models
from cmlapi.api_client import ApiClient
from cmlapi.rest import RequestTimeout


class CMLServiceApi:
    """The operations of a workspace.

    Each raises `ApiException` where the workspace refuses or fails, `ValueError` for an
    empty path parameter and urllib3's `HTTPError` where the workspace is out of reach.
    """

    def __init__(self, api_client: ApiClient | None = None) -> None:
        self.api_client = api_client or ApiClient()

    def list_projects(
        self,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        include_public_projects: bool | None = None,
        include_all_projects: bool | None = None,
        _request_timeout: RequestTimeout = None,
    ) -> models.ListProjectsResponse:
        """List the projects the key may see."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/projects",
            models.ListProjectsResponse,
            path_params={},
            query_params={
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
                "include_public_projects": include_public_projects,
                "include_all_projects": include_all_projects,
            },
            _request_timeout=_request_timeout,
        )

    def get_project(
        self,
        project_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.Project:
        """Read one project."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/projects/{project_id}",
            models.Project,
            path_params={
                "project_id": project_id,
            },
            _request_timeout=_request_timeout,
        )

    def update_project(
        self,
        body: models.Project | dict[str, Any],
        project_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.Project:
        """Change the fields of a project that the body sets."""
        return self.api_client.call_api(
            "PATCH",
            "/api/v2/projects/{project_id}",
            models.Project,
            path_params={
                "project_id": project_id,
            },
            body=body,
            _request_timeout=_request_timeout,
        )

    def list_jobs(
        self,
        project_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        _request_timeout: RequestTimeout = None,
    ) -> models.ListJobsResponse:
        """List the jobs of a project."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/projects/{project_id}/jobs",
            models.ListJobsResponse,
            path_params={
                "project_id": project_id,
            },
            query_params={
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            _request_timeout=_request_timeout,
        )

    def get_job(
        self,
        project_id: str,
        job_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.Job:
        """Read one job."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/projects/{project_id}/jobs/{job_id}",
            models.Job,
            path_params={
                "project_id": project_id,
                "job_id": job_id,
            },
            _request_timeout=_request_timeout,
        )

    def create_job(
        self,
        body: models.CreateJobRequest | dict[str, Any],
        project_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.Job:
        """Create a job; nothing runs until a run of it is created."""
        return self.api_client.call_api(
            "POST",
            "/api/v2/projects/{project_id}/jobs",
            models.Job,
            path_params={
                "project_id": project_id,
            },
            body=body,
            _request_timeout=_request_timeout,
        )

    def update_job(
        self,
        body: models.Job | dict[str, Any],
        project_id: str,
        job_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.Job:
        """Change the fields of a job that the body sets."""
        return self.api_client.call_api(
            "PATCH",
            "/api/v2/projects/{project_id}/jobs/{job_id}",
            models.Job,
            path_params={
                "project_id": project_id,
                "job_id": job_id,
            },
            body=body,
            _request_timeout=_request_timeout,
        )

    def delete_job(
        self,
        project_id: str,
        job_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.DeleteJobResponse:
        """Delete a job, stopping its runs first."""
        return self.api_client.call_api(
            "DELETE",
            "/api/v2/projects/{project_id}/jobs/{job_id}",
            models.DeleteJobResponse,
            path_params={
                "project_id": project_id,
                "job_id": job_id,
            },
            _request_timeout=_request_timeout,
        )

    def list_all_jobs(
        self,
        *,
        search_filter: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        _request_timeout: RequestTimeout = None,
    ) -> models.ListJobsResponse:
        """List the jobs of every project the key may see."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/jobs",
            models.ListJobsResponse,
            path_params={},
            query_params={
                "search_filter": search_filter,
                "page_size": page_size,
                "page_token": page_token,
            },
            _request_timeout=_request_timeout,
        )

    def list_job_runs(
        self,
        project_id: str,
        job_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        _request_timeout: RequestTimeout = None,
    ) -> models.ListJobRunsResponse:
        """List the runs of a job."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/projects/{project_id}/jobs/{job_id}/runs",
            models.ListJobRunsResponse,
            path_params={
                "project_id": project_id,
                "job_id": job_id,
            },
            query_params={
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            _request_timeout=_request_timeout,
        )

    def get_job_run(
        self,
        project_id: str,
        job_id: str,
        run_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.JobRun:
        """Read one run of a job."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/projects/{project_id}/jobs/{job_id}/runs/{run_id}",
            models.JobRun,
            path_params={
                "project_id": project_id,
                "job_id": job_id,
                "run_id": run_id,
            },
            _request_timeout=_request_timeout,
        )

    def create_job_run(
        self,
        body: models.CreateJobRunRequest | dict[str, Any],
        project_id: str,
        job_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.JobRun:
        """Start a run of a job."""
        return self.api_client.call_api(
            "POST",
            "/api/v2/projects/{project_id}/jobs/{job_id}/runs",
            models.JobRun,
            path_params={
                "project_id": project_id,
                "job_id": job_id,
            },
            body=body,
            _request_timeout=_request_timeout,
        )

    def stop_job_run(
        self,
        project_id: str,
        job_id: str,
        run_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.JobRun:
        """Ask for a run to be stopped."""
        return self.api_client.call_api(
            "POST",
            "/api/v2/projects/{project_id}/jobs/{job_id}/runs/{run_id}:stop",
            models.JobRun,
            path_params={
                "project_id": project_id,
                "job_id": job_id,
                "run_id": run_id,
            },
            _request_timeout=_request_timeout,
        )

    def list_models(
        self,
        project_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        _request_timeout: RequestTimeout = None,
    ) -> models.ListModelsResponse:
        """List the models of a project."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/projects/{project_id}/models",
            models.ListModelsResponse,
            path_params={
                "project_id": project_id,
            },
            query_params={
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            _request_timeout=_request_timeout,
        )

    def get_model(
        self,
        project_id: str,
        model_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.Model:
        """Read one model."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/projects/{project_id}/models/{model_id}",
            models.Model,
            path_params={
                "project_id": project_id,
                "model_id": model_id,
            },
            _request_timeout=_request_timeout,
        )

    def create_model(
        self,
        body: models.CreateModelRequest | dict[str, Any],
        project_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.Model:
        """Create a model, optionally with a first build and deployment."""
        return self.api_client.call_api(
            "POST",
            "/api/v2/projects/{project_id}/models",
            models.Model,
            path_params={
                "project_id": project_id,
            },
            body=body,
            _request_timeout=_request_timeout,
        )

    def update_model(
        self,
        body: models.UpdateSingleModel | dict[str, Any],
        project_id: str,
        model_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.Model:
        """Change the fields of a model that the body sets."""
        return self.api_client.call_api(
            "PATCH",
            "/api/v2/projects/{project_id}/models/{model_id}",
            models.Model,
            path_params={
                "project_id": project_id,
                "model_id": model_id,
            },
            body=body,
            _request_timeout=_request_timeout,
        )

    def delete_model(
        self,
        project_id: str,
        model_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.DeleteModelResponse:
        """Delete a model with its builds and deployments."""
        return self.api_client.call_api(
            "DELETE",
            "/api/v2/projects/{project_id}/models/{model_id}",
            models.DeleteModelResponse,
            path_params={
                "project_id": project_id,
                "model_id": model_id,
            },
            _request_timeout=_request_timeout,
        )

    def list_model_builds(
        self,
        project_id: str,
        model_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        _request_timeout: RequestTimeout = None,
    ) -> models.ListModelBuildsResponse:
        """List the builds of a model."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/projects/{project_id}/models/{model_id}/builds",
            models.ListModelBuildsResponse,
            path_params={
                "project_id": project_id,
                "model_id": model_id,
            },
            query_params={
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            _request_timeout=_request_timeout,
        )

    def get_model_build(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        *,
        registered_model_version_id: str | None = None,
        _request_timeout: RequestTimeout = None,
    ) -> models.ModelBuild:
        """Read one build of a model."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}",
            models.ModelBuild,
            path_params={
                "project_id": project_id,
                "model_id": model_id,
                "build_id": build_id,
            },
            query_params={
                "registered_model_version_id": registered_model_version_id,
            },
            _request_timeout=_request_timeout,
        )

    def create_model_build(
        self,
        body: models.CreateModelBuildRequest | dict[str, Any],
        project_id: str,
        model_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.ModelBuild:
        """Create a build of a model, optionally deploying it."""
        return self.api_client.call_api(
            "POST",
            "/api/v2/projects/{project_id}/models/{model_id}/builds",
            models.ModelBuild,
            path_params={
                "project_id": project_id,
                "model_id": model_id,
            },
            body=body,
            _request_timeout=_request_timeout,
        )

    def delete_model_build(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.DeleteModelBuildResponse:
        """Delete a build with its deployments."""
        return self.api_client.call_api(
            "DELETE",
            "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}",
            models.DeleteModelBuildResponse,
            path_params={
                "project_id": project_id,
                "model_id": model_id,
                "build_id": build_id,
            },
            _request_timeout=_request_timeout,
        )

    def list_model_deployments(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        *,
        search_filter: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        sort: str | None = None,
        _request_timeout: RequestTimeout = None,
    ) -> models.ListModelDeploymentsResponse:
        """List the deployments of a build."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}/deployments",
            models.ListModelDeploymentsResponse,
            path_params={
                "project_id": project_id,
                "model_id": model_id,
                "build_id": build_id,
            },
            query_params={
                "search_filter": search_filter,
                "page_size": page_size,
                "page_token": page_token,
                "sort": sort,
            },
            _request_timeout=_request_timeout,
        )

    def get_model_deployment(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        deployment_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.ModelDeployment:
        """Read one deployment."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}/deployments/{deployment_id}",
            models.ModelDeployment,
            path_params={
                "project_id": project_id,
                "model_id": model_id,
                "build_id": build_id,
                "deployment_id": deployment_id,
            },
            _request_timeout=_request_timeout,
        )

    def create_model_deployment(
        self,
        body: models.CreateModelDeploymentRequest | dict[str, Any],
        project_id: str,
        model_id: str,
        build_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.ModelDeployment:
        """Deploy a build."""
        return self.api_client.call_api(
            "POST",
            "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}/deployments",
            models.ModelDeployment,
            path_params={
                "project_id": project_id,
                "model_id": model_id,
                "build_id": build_id,
            },
            body=body,
            _request_timeout=_request_timeout,
        )

    def stop_model_deployment(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        deployment_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.ModelDeployment:
        """Stop a deployment."""
        return self.api_client.call_api(
            "POST",
            "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}/deployments/{deployment_id}:stop",
            models.ModelDeployment,
            path_params={
                "project_id": project_id,
                "model_id": model_id,
                "build_id": build_id,
                "deployment_id": deployment_id,
            },
            _request_timeout=_request_timeout,
        )

    def restart_model_deployment(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        deployment_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.ModelDeployment:
        """Start a stopped deployment again."""
        return self.api_client.call_api(
            "POST",
            "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}/deployments/{deployment_id}:restart",
            models.ModelDeployment,
            path_params={
                "project_id": project_id,
                "model_id": model_id,
                "build_id": build_id,
                "deployment_id": deployment_id,
            },
            _request_timeout=_request_timeout,
        )

    def list_registered_models(
        self,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        _request_timeout: RequestTimeout = None,
    ) -> models.ListRegisteredModelsResponse:
        """List the models of the registry."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/registry/models",
            models.ListRegisteredModelsResponse,
            path_params={},
            query_params={
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            _request_timeout=_request_timeout,
        )

    def get_registered_model(
        self,
        model_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        _request_timeout: RequestTimeout = None,
    ) -> models.RegisteredModel:
        """Read a registered model and a page of its versions."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/registry/models/{model_id}",
            models.RegisteredModel,
            path_params={
                "model_id": model_id,
            },
            query_params={
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            _request_timeout=_request_timeout,
        )

    def create_registered_model(
        self,
        body: models.CreateRegisteredModelRequest | dict[str, Any],
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.RegisteredModel:
        """Register a logged model: a new name, or a new version of a known one."""
        return self.api_client.call_api(
            "POST",
            "/api/v2/registry/models",
            models.RegisteredModel,
            path_params={},
            body=body,
            _request_timeout=_request_timeout,
        )

    def delete_registered_model(
        self,
        model_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.DeleteRegisteredModelResponse:
        """Delete a registered model with its versions."""
        return self.api_client.call_api(
            "DELETE",
            "/api/v2/registry/models/{model_id}",
            models.DeleteRegisteredModelResponse,
            path_params={
                "model_id": model_id,
            },
            _request_timeout=_request_timeout,
        )

    def get_registered_model_version(
        self,
        model_id: str,
        version_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.RegisteredModelVersion:
        """Read one version of a registered model."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/registry/models/{model_id}/versions/{version_id}",
            models.RegisteredModelVersion,
            path_params={
                "model_id": model_id,
                "version_id": version_id,
            },
            _request_timeout=_request_timeout,
        )

    def delete_registered_model_version(
        self,
        model_id: str,
        version_id: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.DeleteRegisteredModelVersionResponse:
        """Delete one version of a registered model."""
        return self.api_client.call_api(
            "DELETE",
            "/api/v2/registry/models/{model_id}/versions/{version_id}",
            models.DeleteRegisteredModelVersionResponse,
            path_params={
                "model_id": model_id,
                "version_id": version_id,
            },
            _request_timeout=_request_timeout,
        )

    def list_runtimes(
        self,
        *,
        search_filter: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        sort: str | None = None,
        _request_timeout: RequestTimeout = None,
    ) -> models.ListRuntimesResponse:
        """List the runtimes that jobs and models may name."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/runtimes",
            models.ListRuntimesResponse,
            path_params={},
            query_params={
                "search_filter": search_filter,
                "page_size": page_size,
                "page_token": page_token,
                "sort": sort,
            },
            _request_timeout=_request_timeout,
        )

    def list_all_accelerator_node_labels(
        self,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        _request_timeout: RequestTimeout = None,
    ) -> models.ListAllAcceleratorsNodeLabelsResponse:
        """List the kinds of accelerator that a job may ask for."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/nodelabels",
            models.ListAllAcceleratorsNodeLabelsResponse,
            path_params={},
            query_params={
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            _request_timeout=_request_timeout,
        )

    def list_project_files(
        self,
        project_id: str,
        path: str,
        *,
        _request_timeout: RequestTimeout = None,
    ) -> models.ListProjectFilesResponse:
        """List a folder of a project's files."""
        return self.api_client.call_api(
            "GET",
            "/api/v2/projects/{project_id}/files/{path}",
            models.ListProjectFilesResponse,
            path_params={
                "project_id": project_id,
                "path": path,
            },
            _request_timeout=_request_timeout,
        )
