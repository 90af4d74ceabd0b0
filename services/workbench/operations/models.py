"""Models and their builds."""

from typing import Any

from sqlalchemy.orm import Session

import cmlapi
from chassis.rpc import errors
from services.workbench.api import views
from services.workbench.api.lists import ListOperation, ListParameters
from services.workbench.context import Bench
from services.workbench.engine.states import PENDING
from services.workbench.host import labels
from services.workbench.operations.deployments import delete_with_deployments, new_deployment
from services.workbench.operations.lookup import build_row, model_row, project_row
from services.workbench.store.tables import ModelBuildRow, ModelDeploymentRow, ModelRow

_MODELS = ListOperation("list_models", ModelRow, cmlapi.Model)
_BUILDS = ListOperation("list_model_builds", ModelBuildRow, cmlapi.ModelBuild)
_MODEL_FIELDS = (
    "name",
    "description",
    "registered_model_id",
    "visibility",
    "run_as",
)
_CHANGEABLE = ("name", "description", "visibility", "run_as")
_BUILD_FIELDS = (
    "comment",
    "file_path",
    "function_name",
    "kernel",
    "runtime_identifier",
    "runtime_addon_identifiers",
    "registered_model_version_id",
)
BuildConfig = cmlapi.CreateModelBuildRequest | cmlapi.ShortCreateModelBuild


async def list_models(
    bench: Bench, project_id: str, query: ListParameters
) -> cmlapi.ListModelsResponse:
    """List a project's models."""

    def work(session: Session) -> cmlapi.ListModelsResponse:
        project = project_row(session, project_id)
        rows, token = _MODELS.page(session, query, ModelRow.project_id == project_id)
        return cmlapi.ListModelsResponse(
            models=[views.model(row, project) for row in rows], next_page_token=token
        )

    return bench.database.read(work)


async def get_model(bench: Bench, project_id: str, model_id: str) -> cmlapi.Model:
    """Read a model."""
    return bench.database.read(lambda s: _view(s, model_row(s, project_id, model_id)))


async def create_model(
    bench: Bench, project_id: str, body: cmlapi.CreateModelRequest
) -> cmlapi.Model:
    """Create a model, with its first build and deployment if the body requests them."""
    if not (body.name or "").strip():
        raise errors.InvalidArgument("name: must be given")
    values = views.given(body, _MODEL_FIELDS) | {"auth_enabled": not body.disable_authentication}

    def work(session: Session) -> cmlapi.Model:
        project_row(session, project_id)
        label = labels.asked_for(session, body.accelerator_label_id or "")
        row = ModelRow(project_id=project_id, accelerator_label_id=label, **values)
        session.add(row)
        session.flush()
        if body.auto_build_model:
            config = body.auto_build_config or cmlapi.ShortCreateModelBuild()
            build = _new_build(session, row, config)
            if body.auto_deploy_model:
                new_deployment(session, row, build, body.auto_deployment_config)
        return _view(session, row)

    created = await bench.database.write(work)
    bench.scheduler.wake()
    return created


async def update_model(
    bench: Bench, project_id: str, model_id: str, body: cmlapi.UpdateSingleModel
) -> cmlapi.Model:
    """Change the fields that are given."""
    changes = views.given(body, _CHANGEABLE) | _default_resources(body)

    def work(session: Session) -> cmlapi.Model:
        row = model_row(session, project_id, model_id)
        if (given := body.accelerator_label_id) is not None:
            kept = row.accelerator_label_id
            changes["accelerator_label_id"] = labels.asked_for(session, given, kept)
        views.apply(row, changes)
        return _view(session, row)

    return await bench.database.write(work)


async def delete_model(bench: Bench, project_id: str, model_id: str) -> cmlapi.DeleteModelResponse:
    """End a model's processes, and delete it with its builds and deployments."""
    of_it = ModelDeploymentRow.model_id == model_id
    await delete_with_deployments(bench, lambda s: model_row(s, project_id, model_id), of_it)
    return cmlapi.DeleteModelResponse()


async def list_model_builds(
    bench: Bench, project_id: str, model_id: str, query: ListParameters
) -> cmlapi.ListModelBuildsResponse:
    """List a model's builds."""

    def work(session: Session) -> cmlapi.ListModelBuildsResponse:
        model_row(session, project_id, model_id)
        rows, token = _BUILDS.page(session, query, ModelBuildRow.model_id == model_id)
        return cmlapi.ListModelBuildsResponse(
            model_builds=[views.model_build(row) for row in rows], next_page_token=token
        )

    return bench.database.read(work)


async def get_model_build(
    bench: Bench,
    project_id: str,
    model_id: str,
    build_id: str,
    registered_model_version_id: str = "",
) -> cmlapi.ModelBuild:
    """Read a build; if a registered version is named, only if the build uses it."""

    def work(session: Session) -> cmlapi.ModelBuild:
        row = build_row(session, project_id, model_id, build_id)
        if registered_model_version_id not in ("", row.registered_model_version_id):
            raise errors.NotFound(
                f"build {build_id!r} is not of version {registered_model_version_id!r}"
            )
        return views.model_build(row)

    return bench.database.read(work)


async def create_model_build(
    bench: Bench, project_id: str, model_id: str, body: cmlapi.CreateModelBuildRequest
) -> cmlapi.ModelBuild:
    """Create a build, and a deployment of it if the body requests one."""

    def work(session: Session) -> cmlapi.ModelBuild:
        model = model_row(session, project_id, model_id)
        row = _new_build(session, model, body)
        if body.auto_deploy_model:
            new_deployment(session, model, row, body.auto_deployment_config)
        return views.model_build(row)

    created = await bench.database.write(work)
    bench.scheduler.wake()
    return created


async def delete_model_build(
    bench: Bench, project_id: str, model_id: str, build_id: str
) -> cmlapi.DeleteModelBuildResponse:
    """End a build's processes, and delete it with its deployments."""
    of_it = ModelDeploymentRow.build_id == build_id
    await delete_with_deployments(
        bench, lambda s: build_row(s, project_id, model_id, build_id), of_it
    )
    return cmlapi.DeleteModelBuildResponse()


def _new_build(session: Session, model: ModelRow, config: BuildConfig) -> ModelBuildRow:
    fields = views.given(config, _BUILD_FIELDS)
    row = ModelBuildRow(model_id=model.id, status=PENDING, **fields)
    session.add(row)
    session.flush()
    return row


def _default_resources(body: cmlapi.UpdateSingleModel) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if (resources := body.default_resources) is not None:
        if resources.cpu_millicores is not None:
            changes["cpu"] = _number("cpu_millicores", resources.cpu_millicores) / 1000
        if resources.memory_mb is not None:
            changes["memory"] = _number("memory_mb", resources.memory_mb) / 1024
        if resources.nvidia_gpus is not None:
            changes["nvidia_gpus"] = _number("nvidia_gpus", resources.nvidia_gpus)
    policy = body.default_replication_policy
    if policy is not None and policy.num_replicas is not None:
        changes["replicas"] = _number("num_replicas", policy.num_replicas)
    return changes


def _number(field: str, given: str | int) -> int:
    if not str(given).isdecimal():
        raise errors.InvalidArgument(f"{field}: {given!r} is not a whole number of 0 or more")
    return int(given)


def _view(session: Session, row: ModelRow) -> cmlapi.Model:
    return views.model(row, project_row(session, row.project_id))
