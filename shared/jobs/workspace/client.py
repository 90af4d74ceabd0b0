"""The workspace's API, through the `cmlapi` client that a workspace hands out.

The one module of the studio that calls `cmlapi`, by keyword only, so that the genuine client and
the one that this repository carries are interchangeable. Which of the two is installed does not
matter here.
"""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from chassis.rpc import errors
from ft.job_protocol.variables import API_KEY, API_URL, PROJECT_ID

T = TypeVar("T")
REQUEST_SECONDS = 15.0
DELETE_SECONDS = 60.0
"""Deleting a job or a model waits until its processes have ended."""
PAGE_SIZE = 100
VARIABLES = (API_URL, PROJECT_ID, API_KEY)
"""Variables with the address of the workspace, its project and the key."""
_REFUSED = {
    401: errors.Unauthenticated,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    409: errors.AlreadyExists,
    429: errors.ResourceExhausted,
}


class Workspace:
    """One project of one workspace.

    `CDSW_API_URL`, `CDSW_PROJECT_ID` and `CDSW_APIV2_KEY` say which; the key may be in a file named
    by `FTS_WORKSPACE_KEY_FILE` instead. They are read at the first call, because a local workbench
    may start after the service. Every method raises Unavailable while the workspace does not
    answer within `seconds`, and another Refusal, with the workspace's own message, when it says no.
    """

    def __init__(self, seconds: float = REQUEST_SECONDS) -> None:
        self._client: Any = None
        self._seconds = seconds
        self._project_id = os.environ.get(PROJECT_ID, "")

    async def template(self, name: str) -> Any:
        """The template job of that name. Raises FailedPrecondition if there is none."""
        job = await self.find_job(name)
        if job is None:
            raise errors.FailedPrecondition(
                f"the workspace project has no template job named {name!r}; create it, see "
                "README.md, In a workspace",
                reason="TEMPLATE_JOB_MISSING",
                template=name,
            )
        return job

    async def find_job(self, name: str) -> Any | None:
        """The oldest job with exactly that name, None if there is none."""
        filter = _filter(name=name)
        return await self._named("list_jobs", "jobs", name, filter, project_id=self._project_id)

    async def _named(
        self, operation: str, items: str, name: str, filter: str, **given: Any
    ) -> Any | None:
        """The first of a list's items that has exactly that name."""
        token = ""
        while True:
            page = await self._call(
                operation,
                search_filter=filter,
                page_size=PAGE_SIZE,
                page_token=token,
                **given,
            )
            for item in getattr(page, items) or ():
                # A workspace's filter also finds names that only contain the value.
                if item.name == name:
                    return item
            token = page.next_page_token or ""
            if not token:
                return None

    async def create_job(self, **fields: Any) -> Any:
        """Creates a job from the fields of a CreateJobRequest."""
        body = self._model("CreateJobRequest", project_id=self._project_id, **fields)
        return await self._call("create_job", body=body, project_id=self._project_id)

    async def delete_job(self, job_id: str) -> None:
        """Deletes a job; one that is not there is fine."""
        with suppress(errors.NotFound):
            await self._call(
                "delete_job",
                project_id=self._project_id,
                job_id=job_id,
                seconds=DELETE_SECONDS,
            )

    async def runs(self, job_id: str) -> list[Any]:
        """The first page of a job's runs. The studio's own jobs have one run."""
        page = await self._call(
            "list_job_runs", project_id=self._project_id, job_id=job_id, page_size=PAGE_SIZE
        )
        return list(page.job_runs or ())

    async def create_run(self, job_id: str, environment: Mapping[str, str] | None = None) -> Any:
        """Starts a job, with variables of this run alone beside the job's own."""
        given = {"environment": dict(environment)} if environment else {}
        body = self._model(
            "CreateJobRunRequest", project_id=self._project_id, job_id=job_id, **given
        )
        return await self._call(
            "create_job_run", body=body, project_id=self._project_id, job_id=job_id
        )

    async def run(self, job_id: str, run_id: str) -> Any:
        """One run of a job."""
        return await self._call(
            "get_job_run", project_id=self._project_id, job_id=job_id, run_id=run_id
        )

    async def stop_run(self, job_id: str, run_id: str) -> None:
        """Asks for a run to be stopped."""
        await self._call("stop_job_run", project_id=self._project_id, job_id=job_id, run_id=run_id)

    async def accelerator_labels(self) -> list[Any]:
        """The kinds of accelerator that a job may ask for."""
        found: list[Any] = []
        token = ""
        while True:
            page = await self._call(
                "list_all_accelerator_node_labels", page_size=PAGE_SIZE, page_token=token
            )
            found += page.accelerator_node_label or ()
            token = page.next_page_token or ""
            if not token:
                return found

    async def project(self) -> Any:
        """The project."""
        return await self._call("get_project", project_id=self._project_id)

    async def update_project(self, **fields: Any) -> None:
        """Changes those fields of the project and no others: what else was read may be out of date
        by now, and a workspace may refuse to be sent who owns it."""
        body = self._model("Project", **fields)
        await self._call("update_project", body=body, project_id=self._project_id)

    async def registered_model(self, model_id: str) -> Any:
        """A model of the workspace's registry, with its versions."""
        return await self._call("get_registered_model", model_id=model_id)

    async def registered_named(self, name: str) -> Any | None:
        """The registry's model of exactly that name, with its versions; None if there is none."""
        filter = _filter(model_name=name)
        found = await self._named("list_registered_models", "models", name, filter)
        return await self.registered_model(found.model_id) if found else None

    async def register_model(self, **fields: Any) -> Any:
        """Puts a logged model into the registry, from the fields of a
        CreateRegisteredModelRequest."""
        body = self._model("CreateRegisteredModelRequest", project_id=self._project_id, **fields)
        return await self._call("create_registered_model", body=body)

    async def create_model(self, **fields: Any) -> Any:
        """Creates a served model from the fields of a CreateModelRequest."""
        body = self._model("CreateModelRequest", project_id=self._project_id, **fields)
        return await self._call("create_model", body=body, project_id=self._project_id)

    async def model(self, model_id: str) -> Any | None:
        """A served model; None if there is none of that id."""
        with suppress(errors.NotFound):
            return await self._call("get_model", project_id=self._project_id, model_id=model_id)
        return None

    async def first_model(self, name: str) -> Any | None:
        """The oldest served model of exactly that name, None if there is none."""
        filter = _filter(name=name)
        given = {"project_id": self._project_id, "sort": "created_at"}
        return await self._named("list_models", "models", name, filter, **given)

    async def model_builds(self, model_id: str) -> list[Any]:
        """The builds of a served model, some of them if there are many."""
        listed = await self._call(
            "list_model_builds", project_id=self._project_id, model_id=model_id
        )
        return list(listed.model_builds or [])

    async def delete_model(self, model_id: str) -> None:
        """Deletes a served model with its builds and deployments; one that is gone is fine."""
        with suppress(errors.NotFound):
            await self._call(
                "delete_model",
                project_id=self._project_id,
                model_id=model_id,
                seconds=DELETE_SECONDS,
            )

    async def create_model_build(
        self, model_id: str, deployment: Mapping[str, Any], **fields: Any
    ) -> Any:
        """Builds a served model from the fields of a CreateModelBuildRequest, and deploys it with
        those of a ShortCreateModelDeployment."""
        body = self._model(
            "CreateModelBuildRequest",
            project_id=self._project_id,
            model_id=model_id,
            auto_deploy_model=True,
            auto_deployment_config=self._model("ShortCreateModelDeployment", **deployment),
            **fields,
        )
        return await self._call(
            "create_model_build", body=body, project_id=self._project_id, model_id=model_id
        )

    def _model(self, kind: str, /, **fields: Any) -> Any:
        import cmlapi

        return getattr(cmlapi, kind)(**fields)

    async def _call(self, operation: str, *, seconds: float | None = None, **arguments: Any) -> Any:
        given = {key: value for key, value in arguments.items() if value != ""}
        client = self._connected()
        method: Callable[..., Any] = getattr(client, operation)
        return await asyncio.to_thread(
            _translated, operation, method, given, _request_timeout=seconds or self._seconds
        )

    def _connected(self) -> Any:
        if self._client is None:
            import cmlapi

            key_file = os.environ.get("FTS_WORKSPACE_KEY_FILE", "")
            if key_file:
                os.environ[API_KEY] = _read_key(Path(key_file))
            missing = [name for name in VARIABLES if not os.environ.get(name)]
            if missing:
                raise errors.FailedPrecondition(
                    f"no workspace is configured: {', '.join(missing)} must be set",
                    reason="NO_WORKSPACE",
                )
            self._client = cmlapi.default_client()
        return self._client


def _filter(**equal: str) -> str:
    return json.dumps(equal)


def _read_key(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise errors.Unavailable(
            f"the workspace's key file cannot be read: {error.strerror}",
            reason="WORKSPACE_UNAVAILABLE",
        ) from error


def _translated(
    operation: str, method: Callable[..., T], arguments: Mapping[str, Any], **options: Any
) -> T:
    from urllib3.exceptions import HTTPError

    from cmlapi.rest import ApiException

    try:
        return method(**arguments, **options)
    except ApiException as error:
        status = error.status or 503
        if status >= 500:
            raise _unavailable(operation, f"HTTP {status}") from error
        kind = _REFUSED.get(status, errors.FailedPrecondition)
        raise kind(
            f"the workspace refused {operation}: {_message(error)}",
            reason="WORKSPACE_REFUSED",
            operation=operation,
        ) from error
    except (HTTPError, OSError, json.JSONDecodeError) as error:
        # An answer that was cut in its head is taken for a whole one without content.
        raise _unavailable(operation, type(error).__name__) from error


def _message(error: Any) -> str:
    try:
        content = json.loads(error.body)
        return str(content.get("message") or content.get("error"))
    except (TypeError, ValueError, AttributeError):
        return f"{error.status} {error.reason}"


def _unavailable(operation: str, why: str) -> errors.Unavailable:
    return errors.Unavailable(
        f"the workspace did not answer {operation}: {why}", reason="WORKSPACE_UNAVAILABLE"
    )
