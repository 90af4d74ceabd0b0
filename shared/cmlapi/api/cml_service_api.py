# Generated from description.json by codegen/generate.py: do not edit.
"""The API's operations as methods."""

from __future__ import annotations

from typing import Any, Unpack

from cmlapi import models
from cmlapi.api.base import Api, CallOptions, data_only


class CMLServiceApi(Api):
    """The operations of a workspace.

    Each raises `ApiException` where the workspace refuses or fails, `ValueError` for an
    empty path parameter and urllib3's `HTTPError` where the workspace is out of reach.
    With `async_req=True` an `AsyncResult` is returned, whose `get` gives the answer.
    `..._with_http_info` return the answer, its HTTP status and its headers.
    """

    def list_projects(
        self,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        include_public_projects: bool | None = None,
        include_all_projects: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> models.ListProjectsResponse:
        """List the projects the key may see.

        Keys of `search_filter`: creator.email, creator.name, creator.username, description, name,
        owner.email, owner.name, owner.username.
        Keys of `sort`: created_at, creator.email, creator.name, creator.username, description,
        name, owner.email, owner.name, owner.username, updated_at.
        """
        call = self.list_projects_with_http_info
        answer: models.ListProjectsResponse = call(
            search_filter=search_filter,
            sort=sort,
            page_size=page_size,
            page_token=page_token,
            include_public_projects=include_public_projects,
            include_all_projects=include_all_projects,
            **data_only(options),
        )
        return answer

    def list_projects_with_http_info(
        self,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        include_public_projects: bool | None = None,
        include_all_projects: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """List the projects the key may see."""
        return self._call(
            "list_projects",
            (
                "GET",
                "/api/v2/projects",
                "ListProjectsResponse",
            ),
            {},
            {
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
                "include_public_projects": include_public_projects,
                "include_all_projects": include_all_projects,
            },
            options,
        )

    def get_project(
        self,
        project_id: str,
        **options: Unpack[CallOptions],
    ) -> models.Project:
        """Read one project."""
        call = self.get_project_with_http_info
        answer: models.Project = call(
            project_id,
            **data_only(options),
        )
        return answer

    def get_project_with_http_info(
        self,
        project_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Read one project."""
        return self._call(
            "get_project",
            (
                "GET",
                "/api/v2/projects/{project_id}",
                "Project",
            ),
            {
                "project_id": project_id,
            },
            {},
            options,
        )

    def update_project(
        self,
        body: models.Project | dict[str, Any],
        project_id: str,
        **options: Unpack[CallOptions],
    ) -> models.Project:
        """Change the fields of a project that the body sets."""
        call = self.update_project_with_http_info
        answer: models.Project = call(
            body,
            project_id,
            **data_only(options),
        )
        return answer

    def update_project_with_http_info(
        self,
        body: models.Project | dict[str, Any],
        project_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Change the fields of a project that the body sets."""
        return self._call(
            "update_project",
            (
                "PATCH",
                "/api/v2/projects/{project_id}",
                "Project",
            ),
            {
                "project_id": project_id,
            },
            {},
            options,
            body=body,
        )

    def list_jobs(
        self,
        project_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> models.ListJobsResponse:
        """List the jobs of a project.

        Keys of `search_filter`: creator.email, creator.name, creator.username, description, kernel,
        name, paused, script, type.
        Keys of `sort`: created_at, creator.email, creator.name, creator.username, description,
        kernel, name, paused, script, type, updated_at.
        """
        call = self.list_jobs_with_http_info
        answer: models.ListJobsResponse = call(
            project_id,
            search_filter=search_filter,
            sort=sort,
            page_size=page_size,
            page_token=page_token,
            **data_only(options),
        )
        return answer

    def list_jobs_with_http_info(
        self,
        project_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """List the jobs of a project."""
        return self._call(
            "list_jobs",
            (
                "GET",
                "/api/v2/projects/{project_id}/jobs",
                "ListJobsResponse",
            ),
            {
                "project_id": project_id,
            },
            {
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            options,
        )

    def get_job(
        self,
        project_id: str,
        job_id: str,
        **options: Unpack[CallOptions],
    ) -> models.Job:
        """Read one job."""
        call = self.get_job_with_http_info
        answer: models.Job = call(
            project_id,
            job_id,
            **data_only(options),
        )
        return answer

    def get_job_with_http_info(
        self,
        project_id: str,
        job_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Read one job."""
        return self._call(
            "get_job",
            (
                "GET",
                "/api/v2/projects/{project_id}/jobs/{job_id}",
                "Job",
            ),
            {
                "project_id": project_id,
                "job_id": job_id,
            },
            {},
            options,
        )

    def create_job(
        self,
        body: models.CreateJobRequest | dict[str, Any],
        project_id: str,
        **options: Unpack[CallOptions],
    ) -> models.Job:
        """Create a job; nothing runs until a run of it is created."""
        call = self.create_job_with_http_info
        answer: models.Job = call(
            body,
            project_id,
            **data_only(options),
        )
        return answer

    def create_job_with_http_info(
        self,
        body: models.CreateJobRequest | dict[str, Any],
        project_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Create a job; nothing runs until a run of it is created."""
        return self._call(
            "create_job",
            (
                "POST",
                "/api/v2/projects/{project_id}/jobs",
                "Job",
            ),
            {
                "project_id": project_id,
            },
            {},
            options,
            body=body,
        )

    def update_job(
        self,
        body: models.Job | dict[str, Any],
        project_id: str,
        job_id: str,
        **options: Unpack[CallOptions],
    ) -> models.Job:
        """Change the fields of a job that the body sets."""
        call = self.update_job_with_http_info
        answer: models.Job = call(
            body,
            project_id,
            job_id,
            **data_only(options),
        )
        return answer

    def update_job_with_http_info(
        self,
        body: models.Job | dict[str, Any],
        project_id: str,
        job_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Change the fields of a job that the body sets."""
        return self._call(
            "update_job",
            (
                "PATCH",
                "/api/v2/projects/{project_id}/jobs/{job_id}",
                "Job",
            ),
            {
                "project_id": project_id,
                "job_id": job_id,
            },
            {},
            options,
            body=body,
        )

    def delete_job(
        self,
        project_id: str,
        job_id: str,
        **options: Unpack[CallOptions],
    ) -> models.DeleteJobResponse:
        """Delete a job, stopping its runs first."""
        call = self.delete_job_with_http_info
        answer: models.DeleteJobResponse = call(
            project_id,
            job_id,
            **data_only(options),
        )
        return answer

    def delete_job_with_http_info(
        self,
        project_id: str,
        job_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Delete a job, stopping its runs first."""
        return self._call(
            "delete_job",
            (
                "DELETE",
                "/api/v2/projects/{project_id}/jobs/{job_id}",
                "DeleteJobResponse",
            ),
            {
                "project_id": project_id,
                "job_id": job_id,
            },
            {},
            options,
        )

    def list_all_jobs(
        self,
        *,
        search_filter: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> models.ListJobsResponse:
        """List the jobs of every project the key may see.

        Keys of `search_filter`: creator.email, creator.name, creator.username, description, kernel,
        name, paused, script, type.
        """
        call = self.list_all_jobs_with_http_info
        answer: models.ListJobsResponse = call(
            search_filter=search_filter,
            page_size=page_size,
            page_token=page_token,
            **data_only(options),
        )
        return answer

    def list_all_jobs_with_http_info(
        self,
        *,
        search_filter: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """List the jobs of every project the key may see."""
        return self._call(
            "list_all_jobs",
            (
                "GET",
                "/api/v2/jobs",
                "ListJobsResponse",
            ),
            {},
            {
                "search_filter": search_filter,
                "page_size": page_size,
                "page_token": page_token,
            },
            options,
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
        **options: Unpack[CallOptions],
    ) -> models.ListJobRunsResponse:
        """List the runs of a job.

        Keys of `search_filter`: creator.email, creator.name, creator.username, description, kernel,
        name, paused, script, type.
        Keys of `sort`: created_at, creator.email, creator.name, creator.username, description,
        kernel, name, paused, script, type, updated_at.
        """
        call = self.list_job_runs_with_http_info
        answer: models.ListJobRunsResponse = call(
            project_id,
            job_id,
            search_filter=search_filter,
            sort=sort,
            page_size=page_size,
            page_token=page_token,
            **data_only(options),
        )
        return answer

    def list_job_runs_with_http_info(
        self,
        project_id: str,
        job_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """List the runs of a job."""
        return self._call(
            "list_job_runs",
            (
                "GET",
                "/api/v2/projects/{project_id}/jobs/{job_id}/runs",
                "ListJobRunsResponse",
            ),
            {
                "project_id": project_id,
                "job_id": job_id,
            },
            {
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            options,
        )

    def get_job_run(
        self,
        project_id: str,
        job_id: str,
        run_id: str,
        **options: Unpack[CallOptions],
    ) -> models.JobRun:
        """Read one run of a job."""
        call = self.get_job_run_with_http_info
        answer: models.JobRun = call(
            project_id,
            job_id,
            run_id,
            **data_only(options),
        )
        return answer

    def get_job_run_with_http_info(
        self,
        project_id: str,
        job_id: str,
        run_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Read one run of a job."""
        return self._call(
            "get_job_run",
            (
                "GET",
                "/api/v2/projects/{project_id}/jobs/{job_id}/runs/{run_id}",
                "JobRun",
            ),
            {
                "project_id": project_id,
                "job_id": job_id,
                "run_id": run_id,
            },
            {},
            options,
        )

    def create_job_run(
        self,
        body: models.CreateJobRunRequest | dict[str, Any],
        project_id: str,
        job_id: str,
        **options: Unpack[CallOptions],
    ) -> models.JobRun:
        """Start a run of a job."""
        call = self.create_job_run_with_http_info
        answer: models.JobRun = call(
            body,
            project_id,
            job_id,
            **data_only(options),
        )
        return answer

    def create_job_run_with_http_info(
        self,
        body: models.CreateJobRunRequest | dict[str, Any],
        project_id: str,
        job_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Start a run of a job."""
        return self._call(
            "create_job_run",
            (
                "POST",
                "/api/v2/projects/{project_id}/jobs/{job_id}/runs",
                "JobRun",
            ),
            {
                "project_id": project_id,
                "job_id": job_id,
            },
            {},
            options,
            body=body,
        )

    def stop_job_run(
        self,
        project_id: str,
        job_id: str,
        run_id: str,
        **options: Unpack[CallOptions],
    ) -> models.JobRun:
        """Ask for a run to be stopped."""
        call = self.stop_job_run_with_http_info
        answer: models.JobRun = call(
            project_id,
            job_id,
            run_id,
            **data_only(options),
        )
        return answer

    def stop_job_run_with_http_info(
        self,
        project_id: str,
        job_id: str,
        run_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Ask for a run to be stopped."""
        return self._call(
            "stop_job_run",
            (
                "POST",
                "/api/v2/projects/{project_id}/jobs/{job_id}/runs/{run_id}:stop",
                "JobRun",
            ),
            {
                "project_id": project_id,
                "job_id": job_id,
                "run_id": run_id,
            },
            {},
            options,
        )

    def list_models(
        self,
        project_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> models.ListModelsResponse:
        """List the models of a project.

        Keys of `search_filter`: auth_enabled, creator.email, creator.name, creator.username,
        description, name.
        Keys of `sort`: auth_enabled, created_at, creator.email, creator.name, creator.username,
        description, name, updated_at.
        """
        call = self.list_models_with_http_info
        answer: models.ListModelsResponse = call(
            project_id,
            search_filter=search_filter,
            sort=sort,
            page_size=page_size,
            page_token=page_token,
            **data_only(options),
        )
        return answer

    def list_models_with_http_info(
        self,
        project_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """List the models of a project."""
        return self._call(
            "list_models",
            (
                "GET",
                "/api/v2/projects/{project_id}/models",
                "ListModelsResponse",
            ),
            {
                "project_id": project_id,
            },
            {
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            options,
        )

    def get_model(
        self,
        project_id: str,
        model_id: str,
        **options: Unpack[CallOptions],
    ) -> models.Model:
        """Read one model."""
        call = self.get_model_with_http_info
        answer: models.Model = call(
            project_id,
            model_id,
            **data_only(options),
        )
        return answer

    def get_model_with_http_info(
        self,
        project_id: str,
        model_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Read one model."""
        return self._call(
            "get_model",
            (
                "GET",
                "/api/v2/projects/{project_id}/models/{model_id}",
                "Model",
            ),
            {
                "project_id": project_id,
                "model_id": model_id,
            },
            {},
            options,
        )

    def create_model(
        self,
        body: models.CreateModelRequest | dict[str, Any],
        project_id: str,
        **options: Unpack[CallOptions],
    ) -> models.Model:
        """Create a model, optionally with a first build and deployment."""
        call = self.create_model_with_http_info
        answer: models.Model = call(
            body,
            project_id,
            **data_only(options),
        )
        return answer

    def create_model_with_http_info(
        self,
        body: models.CreateModelRequest | dict[str, Any],
        project_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Create a model, optionally with a first build and deployment."""
        return self._call(
            "create_model",
            (
                "POST",
                "/api/v2/projects/{project_id}/models",
                "Model",
            ),
            {
                "project_id": project_id,
            },
            {},
            options,
            body=body,
        )

    def update_model(
        self,
        body: models.UpdateSingleModel | dict[str, Any],
        project_id: str,
        model_id: str,
        **options: Unpack[CallOptions],
    ) -> models.Model:
        """Change the fields of a model that the body sets."""
        call = self.update_model_with_http_info
        answer: models.Model = call(
            body,
            project_id,
            model_id,
            **data_only(options),
        )
        return answer

    def update_model_with_http_info(
        self,
        body: models.UpdateSingleModel | dict[str, Any],
        project_id: str,
        model_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Change the fields of a model that the body sets."""
        return self._call(
            "update_model",
            (
                "PATCH",
                "/api/v2/projects/{project_id}/models/{model_id}",
                "Model",
            ),
            {
                "project_id": project_id,
                "model_id": model_id,
            },
            {},
            options,
            body=body,
        )

    def delete_model(
        self,
        project_id: str,
        model_id: str,
        **options: Unpack[CallOptions],
    ) -> models.DeleteModelResponse:
        """Delete a model with its builds and deployments."""
        call = self.delete_model_with_http_info
        answer: models.DeleteModelResponse = call(
            project_id,
            model_id,
            **data_only(options),
        )
        return answer

    def delete_model_with_http_info(
        self,
        project_id: str,
        model_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Delete a model with its builds and deployments."""
        return self._call(
            "delete_model",
            (
                "DELETE",
                "/api/v2/projects/{project_id}/models/{model_id}",
                "DeleteModelResponse",
            ),
            {
                "project_id": project_id,
                "model_id": model_id,
            },
            {},
            options,
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
        **options: Unpack[CallOptions],
    ) -> models.ListModelBuildsResponse:
        """List the builds of a model.

        Keys of `search_filter`: comment, creator.email, creator.name, creator.username, crn,
        status.
        Keys of `sort`: built_at, comment, created_at, creator.email, creator.name,
        creator.username, crn, status, updated_at.
        """
        call = self.list_model_builds_with_http_info
        answer: models.ListModelBuildsResponse = call(
            project_id,
            model_id,
            search_filter=search_filter,
            sort=sort,
            page_size=page_size,
            page_token=page_token,
            **data_only(options),
        )
        return answer

    def list_model_builds_with_http_info(
        self,
        project_id: str,
        model_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """List the builds of a model."""
        return self._call(
            "list_model_builds",
            (
                "GET",
                "/api/v2/projects/{project_id}/models/{model_id}/builds",
                "ListModelBuildsResponse",
            ),
            {
                "project_id": project_id,
                "model_id": model_id,
            },
            {
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            options,
        )

    def get_model_build(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        *,
        registered_model_version_id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> models.ModelBuild:
        """Read one build of a model."""
        call = self.get_model_build_with_http_info
        answer: models.ModelBuild = call(
            project_id,
            model_id,
            build_id,
            registered_model_version_id=registered_model_version_id,
            **data_only(options),
        )
        return answer

    def get_model_build_with_http_info(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        *,
        registered_model_version_id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Read one build of a model."""
        return self._call(
            "get_model_build",
            (
                "GET",
                "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}",
                "ModelBuild",
            ),
            {
                "project_id": project_id,
                "model_id": model_id,
                "build_id": build_id,
            },
            {
                "registered_model_version_id": registered_model_version_id,
            },
            options,
        )

    def create_model_build(
        self,
        body: models.CreateModelBuildRequest | dict[str, Any],
        project_id: str,
        model_id: str,
        **options: Unpack[CallOptions],
    ) -> models.ModelBuild:
        """Create a build of a model, optionally deploying it."""
        call = self.create_model_build_with_http_info
        answer: models.ModelBuild = call(
            body,
            project_id,
            model_id,
            **data_only(options),
        )
        return answer

    def create_model_build_with_http_info(
        self,
        body: models.CreateModelBuildRequest | dict[str, Any],
        project_id: str,
        model_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Create a build of a model, optionally deploying it."""
        return self._call(
            "create_model_build",
            (
                "POST",
                "/api/v2/projects/{project_id}/models/{model_id}/builds",
                "ModelBuild",
            ),
            {
                "project_id": project_id,
                "model_id": model_id,
            },
            {},
            options,
            body=body,
        )

    def delete_model_build(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        **options: Unpack[CallOptions],
    ) -> models.DeleteModelBuildResponse:
        """Delete a build with its deployments."""
        call = self.delete_model_build_with_http_info
        answer: models.DeleteModelBuildResponse = call(
            project_id,
            model_id,
            build_id,
            **data_only(options),
        )
        return answer

    def delete_model_build_with_http_info(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Delete a build with its deployments."""
        return self._call(
            "delete_model_build",
            (
                "DELETE",
                "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}",
                "DeleteModelBuildResponse",
            ),
            {
                "project_id": project_id,
                "model_id": model_id,
                "build_id": build_id,
            },
            {},
            options,
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
        **options: Unpack[CallOptions],
    ) -> models.ListModelDeploymentsResponse:
        """List the deployments of a build."""
        call = self.list_model_deployments_with_http_info
        answer: models.ListModelDeploymentsResponse = call(
            project_id,
            model_id,
            build_id,
            search_filter=search_filter,
            page_size=page_size,
            page_token=page_token,
            sort=sort,
            **data_only(options),
        )
        return answer

    def list_model_deployments_with_http_info(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        *,
        search_filter: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        sort: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """List the deployments of a build."""
        return self._call(
            "list_model_deployments",
            (
                "GET",
                "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}/deployments",
                "ListModelDeploymentsResponse",
            ),
            {
                "project_id": project_id,
                "model_id": model_id,
                "build_id": build_id,
            },
            {
                "search_filter": search_filter,
                "page_size": page_size,
                "page_token": page_token,
                "sort": sort,
            },
            options,
        )

    def get_model_deployment(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        deployment_id: str,
        **options: Unpack[CallOptions],
    ) -> models.ModelDeployment:
        """Read one deployment."""
        call = self.get_model_deployment_with_http_info
        answer: models.ModelDeployment = call(
            project_id,
            model_id,
            build_id,
            deployment_id,
            **data_only(options),
        )
        return answer

    def get_model_deployment_with_http_info(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        deployment_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Read one deployment."""
        return self._call(
            "get_model_deployment",
            (
                "GET",
                "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}/deployments/{deployment_id}",
                "ModelDeployment",
            ),
            {
                "project_id": project_id,
                "model_id": model_id,
                "build_id": build_id,
                "deployment_id": deployment_id,
            },
            {},
            options,
        )

    def create_model_deployment(
        self,
        body: models.CreateModelDeploymentRequest | dict[str, Any],
        project_id: str,
        model_id: str,
        build_id: str,
        **options: Unpack[CallOptions],
    ) -> models.ModelDeployment:
        """Deploy a build."""
        call = self.create_model_deployment_with_http_info
        answer: models.ModelDeployment = call(
            body,
            project_id,
            model_id,
            build_id,
            **data_only(options),
        )
        return answer

    def create_model_deployment_with_http_info(
        self,
        body: models.CreateModelDeploymentRequest | dict[str, Any],
        project_id: str,
        model_id: str,
        build_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Deploy a build."""
        return self._call(
            "create_model_deployment",
            (
                "POST",
                "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}/deployments",
                "ModelDeployment",
            ),
            {
                "project_id": project_id,
                "model_id": model_id,
                "build_id": build_id,
            },
            {},
            options,
            body=body,
        )

    def stop_model_deployment(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        deployment_id: str,
        **options: Unpack[CallOptions],
    ) -> models.ModelDeployment:
        """Stop a deployment."""
        call = self.stop_model_deployment_with_http_info
        answer: models.ModelDeployment = call(
            project_id,
            model_id,
            build_id,
            deployment_id,
            **data_only(options),
        )
        return answer

    def stop_model_deployment_with_http_info(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        deployment_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Stop a deployment."""
        return self._call(
            "stop_model_deployment",
            (
                "POST",
                "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}/deployments/{deployment_id}:stop",
                "ModelDeployment",
            ),
            {
                "project_id": project_id,
                "model_id": model_id,
                "build_id": build_id,
                "deployment_id": deployment_id,
            },
            {},
            options,
        )

    def restart_model_deployment(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        deployment_id: str,
        **options: Unpack[CallOptions],
    ) -> models.ModelDeployment:
        """Start a stopped deployment again."""
        call = self.restart_model_deployment_with_http_info
        answer: models.ModelDeployment = call(
            project_id,
            model_id,
            build_id,
            deployment_id,
            **data_only(options),
        )
        return answer

    def restart_model_deployment_with_http_info(
        self,
        project_id: str,
        model_id: str,
        build_id: str,
        deployment_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Start a stopped deployment again."""
        return self._call(
            "restart_model_deployment",
            (
                "POST",
                "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}/deployments/{deployment_id}:restart",
                "ModelDeployment",
            ),
            {
                "project_id": project_id,
                "model_id": model_id,
                "build_id": build_id,
                "deployment_id": deployment_id,
            },
            {},
            options,
        )

    def list_registered_models(
        self,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> models.ListRegisteredModelsResponse:
        """List the models of the registry.

        Keys of `sort`: created_at, creator.email, creator.name, creator.username, description,
        kernel, name, script, status, updated_at.
        """
        call = self.list_registered_models_with_http_info
        answer: models.ListRegisteredModelsResponse = call(
            search_filter=search_filter,
            sort=sort,
            page_size=page_size,
            page_token=page_token,
            **data_only(options),
        )
        return answer

    def list_registered_models_with_http_info(
        self,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """List the models of the registry."""
        return self._call(
            "list_registered_models",
            (
                "GET",
                "/api/v2/registry/models",
                "ListRegisteredModelsResponse",
            ),
            {},
            {
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            options,
        )

    def get_registered_model(
        self,
        model_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> models.RegisteredModel:
        """Read a registered model and a page of its versions.

        Keys of `sort`: created_at, creator.email, creator.name, creator.username, description,
        kernel, name, script, status, updated_at.
        """
        call = self.get_registered_model_with_http_info
        answer: models.RegisteredModel = call(
            model_id,
            search_filter=search_filter,
            sort=sort,
            page_size=page_size,
            page_token=page_token,
            **data_only(options),
        )
        return answer

    def get_registered_model_with_http_info(
        self,
        model_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Read a registered model and a page of its versions."""
        return self._call(
            "get_registered_model",
            (
                "GET",
                "/api/v2/registry/models/{model_id}",
                "RegisteredModel",
            ),
            {
                "model_id": model_id,
            },
            {
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            options,
        )

    def create_registered_model(
        self,
        body: models.CreateRegisteredModelRequest | dict[str, Any],
        **options: Unpack[CallOptions],
    ) -> models.RegisteredModel:
        """Register a logged model: a new name, or a new version of a known one."""
        call = self.create_registered_model_with_http_info
        answer: models.RegisteredModel = call(
            body,
            **data_only(options),
        )
        return answer

    def create_registered_model_with_http_info(
        self,
        body: models.CreateRegisteredModelRequest | dict[str, Any],
        **options: Unpack[CallOptions],
    ) -> Any:
        """Register a logged model: a new name, or a new version of a known one."""
        return self._call(
            "create_registered_model",
            (
                "POST",
                "/api/v2/registry/models",
                "RegisteredModel",
            ),
            {},
            {},
            options,
            body=body,
        )

    def delete_registered_model(
        self,
        model_id: str,
        **options: Unpack[CallOptions],
    ) -> models.DeleteRegisteredModelResponse:
        """Delete a registered model with its versions."""
        call = self.delete_registered_model_with_http_info
        answer: models.DeleteRegisteredModelResponse = call(
            model_id,
            **data_only(options),
        )
        return answer

    def delete_registered_model_with_http_info(
        self,
        model_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Delete a registered model with its versions."""
        return self._call(
            "delete_registered_model",
            (
                "DELETE",
                "/api/v2/registry/models/{model_id}",
                "DeleteRegisteredModelResponse",
            ),
            {
                "model_id": model_id,
            },
            {},
            options,
        )

    def get_registered_model_version(
        self,
        model_id: str,
        version_id: str,
        **options: Unpack[CallOptions],
    ) -> models.RegisteredModelVersion:
        """Read one version of a registered model."""
        call = self.get_registered_model_version_with_http_info
        answer: models.RegisteredModelVersion = call(
            model_id,
            version_id,
            **data_only(options),
        )
        return answer

    def get_registered_model_version_with_http_info(
        self,
        model_id: str,
        version_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Read one version of a registered model."""
        return self._call(
            "get_registered_model_version",
            (
                "GET",
                "/api/v2/registry/models/{model_id}/versions/{version_id}",
                "RegisteredModelVersion",
            ),
            {
                "model_id": model_id,
                "version_id": version_id,
            },
            {},
            options,
        )

    def delete_registered_model_version(
        self,
        model_id: str,
        version_id: str,
        **options: Unpack[CallOptions],
    ) -> models.DeleteRegisteredModelVersionResponse:
        """Delete one version of a registered model."""
        call = self.delete_registered_model_version_with_http_info
        answer: models.DeleteRegisteredModelVersionResponse = call(
            model_id,
            version_id,
            **data_only(options),
        )
        return answer

    def delete_registered_model_version_with_http_info(
        self,
        model_id: str,
        version_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Delete one version of a registered model."""
        return self._call(
            "delete_registered_model_version",
            (
                "DELETE",
                "/api/v2/registry/models/{model_id}/versions/{version_id}",
                "DeleteRegisteredModelVersionResponse",
            ),
            {
                "model_id": model_id,
                "version_id": version_id,
            },
            {},
            options,
        )

    def list_runtimes(
        self,
        *,
        search_filter: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        sort: str | None = None,
        **options: Unpack[CallOptions],
    ) -> models.ListRuntimesResponse:
        """List the runtimes that jobs and models may name.

        Keys of `search_filter`: image_identifier, editor, kernel, edition, description,
        full_version.
        Keys of `sort`: image_identifier, editor, kernel, edition, description, full_version.
        """
        call = self.list_runtimes_with_http_info
        answer: models.ListRuntimesResponse = call(
            search_filter=search_filter,
            page_size=page_size,
            page_token=page_token,
            sort=sort,
            **data_only(options),
        )
        return answer

    def list_runtimes_with_http_info(
        self,
        *,
        search_filter: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        sort: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """List the runtimes that jobs and models may name."""
        return self._call(
            "list_runtimes",
            (
                "GET",
                "/api/v2/runtimes",
                "ListRuntimesResponse",
            ),
            {},
            {
                "search_filter": search_filter,
                "page_size": page_size,
                "page_token": page_token,
                "sort": sort,
            },
            options,
        )

    def list_all_accelerator_node_labels(
        self,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> models.ListAllAcceleratorsNodeLabelsResponse:
        """List the kinds of accelerator that a job may ask for.

        Keys of `search_filter`: id, label_key.
        Keys of `sort`: id, label_key.
        """
        call = self.list_all_accelerator_node_labels_with_http_info
        answer: models.ListAllAcceleratorsNodeLabelsResponse = call(
            search_filter=search_filter,
            sort=sort,
            page_size=page_size,
            page_token=page_token,
            **data_only(options),
        )
        return answer

    def list_all_accelerator_node_labels_with_http_info(
        self,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """List the kinds of accelerator that a job may ask for."""
        return self._call(
            "list_all_accelerator_node_labels",
            (
                "GET",
                "/api/v2/nodelabels",
                "ListAllAcceleratorsNodeLabelsResponse",
            ),
            {},
            {
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            options,
        )

    def list_project_files(
        self,
        project_id: str,
        path: str,
        **options: Unpack[CallOptions],
    ) -> models.ListProjectFilesResponse:
        """List a folder of a project's files."""
        call = self.list_project_files_with_http_info
        answer: models.ListProjectFilesResponse = call(
            project_id,
            path,
            **data_only(options),
        )
        return answer

    def list_project_files_with_http_info(
        self,
        project_id: str,
        path: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """List a folder of a project's files."""
        return self._call(
            "list_project_files",
            (
                "GET",
                "/api/v2/projects/{project_id}/files/{path}",
                "ListProjectFilesResponse",
            ),
            {
                "project_id": project_id,
                "path": path,
            },
            {},
            options,
        )

    def list_applications(
        self,
        project_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> models.ListApplicationsResponse:
        """List the applications of a project.

        Keys of `search_filter`: bypass_authentication, creator.email, creator.name,
        creator.username, description, kernel, name, script, status, subdomain.
        Keys of `sort`: created_at, creator.email, creator.name, creator.username, description,
        kernel, name, script, status, updated_at.
        """
        call = self.list_applications_with_http_info
        answer: models.ListApplicationsResponse = call(
            project_id,
            search_filter=search_filter,
            sort=sort,
            page_size=page_size,
            page_token=page_token,
            **data_only(options),
        )
        return answer

    def list_applications_with_http_info(
        self,
        project_id: str,
        *,
        search_filter: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """List the applications of a project."""
        return self._call(
            "list_applications",
            (
                "GET",
                "/api/v2/projects/{project_id}/applications",
                "ListApplicationsResponse",
            ),
            {
                "project_id": project_id,
            },
            {
                "search_filter": search_filter,
                "sort": sort,
                "page_size": page_size,
                "page_token": page_token,
            },
            options,
        )

    def get_application(
        self,
        project_id: str,
        application_id: str,
        **options: Unpack[CallOptions],
    ) -> models.Application:
        """Read one application."""
        call = self.get_application_with_http_info
        answer: models.Application = call(
            project_id,
            application_id,
            **data_only(options),
        )
        return answer

    def get_application_with_http_info(
        self,
        project_id: str,
        application_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Read one application."""
        return self._call(
            "get_application",
            (
                "GET",
                "/api/v2/projects/{project_id}/applications/{application_id}",
                "Application",
            ),
            {
                "project_id": project_id,
                "application_id": application_id,
            },
            {},
            options,
        )

    def list_experiments(
        self,
        project_id: str,
        *,
        search_filter: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        sort: str | None = None,
        **options: Unpack[CallOptions],
    ) -> models.ListExperimentsResponse:
        """List the experiments of a project."""
        call = self.list_experiments_with_http_info
        answer: models.ListExperimentsResponse = call(
            project_id,
            search_filter=search_filter,
            page_size=page_size,
            page_token=page_token,
            sort=sort,
            **data_only(options),
        )
        return answer

    def list_experiments_with_http_info(
        self,
        project_id: str,
        *,
        search_filter: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        sort: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """List the experiments of a project."""
        return self._call(
            "list_experiments",
            (
                "GET",
                "/api/v2/projects/{project_id}/experiments",
                "ListExperimentsResponse",
            ),
            {
                "project_id": project_id,
            },
            {
                "search_filter": search_filter,
                "page_size": page_size,
                "page_token": page_token,
                "sort": sort,
            },
            options,
        )

    def get_experiment(
        self,
        project_id: str,
        experiment_id: str,
        **options: Unpack[CallOptions],
    ) -> models.Experiment:
        """Read one experiment."""
        call = self.get_experiment_with_http_info
        answer: models.Experiment = call(
            project_id,
            experiment_id,
            **data_only(options),
        )
        return answer

    def get_experiment_with_http_info(
        self,
        project_id: str,
        experiment_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Read one experiment."""
        return self._call(
            "get_experiment",
            (
                "GET",
                "/api/v2/projects/{project_id}/experiments/{experiment_id}",
                "Experiment",
            ),
            {
                "project_id": project_id,
                "experiment_id": experiment_id,
            },
            {},
            options,
        )

    def list_experiment_runs(
        self,
        project_id: str,
        experiment_id: str,
        *,
        search_filter: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        sort: str | None = None,
        **options: Unpack[CallOptions],
    ) -> models.ListExperimentRunsResponse:
        """List the runs of an experiment.

        Keys of `search_filter`: creator.email, creator.name, creator.username, name, status.
        Keys of `sort`: created_at, creator.email, creator.name, creator.username, name, start_time.
        """
        call = self.list_experiment_runs_with_http_info
        answer: models.ListExperimentRunsResponse = call(
            project_id,
            experiment_id,
            search_filter=search_filter,
            page_size=page_size,
            page_token=page_token,
            sort=sort,
            **data_only(options),
        )
        return answer

    def list_experiment_runs_with_http_info(
        self,
        project_id: str,
        experiment_id: str,
        *,
        search_filter: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        sort: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """List the runs of an experiment."""
        return self._call(
            "list_experiment_runs",
            (
                "GET",
                "/api/v2/projects/{project_id}/experiments/{experiment_id}/runs",
                "ListExperimentRunsResponse",
            ),
            {
                "project_id": project_id,
                "experiment_id": experiment_id,
            },
            {
                "search_filter": search_filter,
                "page_size": page_size,
                "page_token": page_token,
                "sort": sort,
            },
            options,
        )

    def get_experiment_run(
        self,
        project_id: str,
        experiment_id: str,
        run_id: str,
        **options: Unpack[CallOptions],
    ) -> models.ExperimentRun:
        """Read one run of an experiment."""
        call = self.get_experiment_run_with_http_info
        answer: models.ExperimentRun = call(
            project_id,
            experiment_id,
            run_id,
            **data_only(options),
        )
        return answer

    def get_experiment_run_with_http_info(
        self,
        project_id: str,
        experiment_id: str,
        run_id: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Read one run of an experiment."""
        return self._call(
            "get_experiment_run",
            (
                "GET",
                "/api/v2/projects/{project_id}/experiments/{experiment_id}/runs/{run_id}",
                "ExperimentRun",
            ),
            {
                "project_id": project_id,
                "experiment_id": experiment_id,
                "run_id": run_id,
            },
            {},
            options,
        )

    def get_experiment_run_metrics(
        self,
        project_id: str,
        experiment_id: str,
        run_id: str,
        metric_key: str,
        **options: Unpack[CallOptions],
    ) -> models.GetExperimentRunMetricsResponse:
        """Read every value that a run logged of a metric."""
        call = self.get_experiment_run_metrics_with_http_info
        answer: models.GetExperimentRunMetricsResponse = call(
            project_id,
            experiment_id,
            run_id,
            metric_key,
            **data_only(options),
        )
        return answer

    def get_experiment_run_metrics_with_http_info(
        self,
        project_id: str,
        experiment_id: str,
        run_id: str,
        metric_key: str,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Read every value that a run logged of a metric."""
        return self._call(
            "get_experiment_run_metrics",
            (
                "GET",
                "/api/v2/projects/{project_id}/experiments/{experiment_id}/runs/{run_id}/metrics/{metric_key}",
                "GetExperimentRunMetricsResponse",
            ),
            {
                "project_id": project_id,
                "experiment_id": experiment_id,
                "run_id": run_id,
                "metric_key": metric_key,
            },
            {},
            options,
        )
