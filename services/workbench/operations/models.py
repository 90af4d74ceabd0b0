"""Models, their builds and deployments: records, kept as a workspace keeps them.

Nothing is built or served here. A build says `pending` and so does a deployment, because that is
the truth about them.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import cmlapi
from chassis import errors
from services.workbench import views
from services.workbench.lists import Listing, ListParameters
from services.workbench.tables import ModelBuildRow, ModelDeploymentRow, ModelRow, utc_now
from services.workbench.workbench import Bench, get_project_row

PENDING, STOPPED = "pending", "stopped"

_MODELS = Listing(ModelRow, cmlapi.Model)
_BUILDS = Listing(ModelBuildRow, cmlapi.ModelBuild)
_DEPLOYMENTS = Listing(ModelDeploymentRow, cmlapi.ModelDeployment)
_MODEL_FIELDS = (
    "name",
    "description",
    "registered_model_id",
    "visibility",
    "run_as",
    "accelerator_label_id",
)
_CHANGEABLE = ("name", "description", "visibility", "run_as", "accelerator_label_id")
_BUILD_FIELDS = (
    "comment",
    "file_path",
    "function_name",
    "kernel",
    "runtime_identifier",
    "runtime_addon_identifiers",
    "registered_model_version_id",
)
_RESOURCES = ("cpu", "memory", "replicas")
BuildConfig = cmlapi.CreateModelBuildRequest | cmlapi.ShortCreateModelBuild
DeploymentConfig = cmlapi.CreateModelDeploymentRequest | cmlapi.ShortCreateModelDeployment


async def list_models(
    bench: Bench, project_id: str, query: ListParameters
) -> cmlapi.ListModelsResponse:
    """List a project's models."""

    def work(session: Session) -> cmlapi.ListModelsResponse:
        project = get_project_row(session, project_id)
        rows, token = _MODELS.page(session, query, ModelRow.project_id == project_id)
        return cmlapi.ListModelsResponse(
            models=[views.model(row, project) for row in rows], next_page_token=token
        )

    return bench.database.read(work)


async def get_model(bench: Bench, project_id: str, model_id: str) -> cmlapi.Model:
    """Read a model."""
    return bench.database.read(lambda s: _view(s, _model(s, project_id, model_id)))


async def create_model(
    bench: Bench, project_id: str, body: cmlapi.CreateModelRequest
) -> cmlapi.Model:
    """Create a model, with its first build and deployment where the body asks for them."""
    if not (body.name or "").strip():
        raise errors.InvalidArgument("name: must be given")
    values = views.given(body, _MODEL_FIELDS) | {"auth_enabled": not body.disable_authentication}

    def work(session: Session) -> cmlapi.Model:
        get_project_row(session, project_id)
        row = ModelRow(project_id=project_id, **values)
        session.add(row)
        session.flush()
        if body.auto_build_model:
            config = body.auto_build_config or cmlapi.ShortCreateModelBuild()
            build = _new_build(session, row, config)
            if body.auto_deploy_model:
                _new_deployment(session, row, build, body.auto_deployment_config)
        return _view(session, row)

    return await bench.database.write(work)


async def update_model(
    bench: Bench, project_id: str, model_id: str, body: cmlapi.UpdateSingleModel
) -> cmlapi.Model:
    """Change the fields that are given."""
    changes = views.given(body, _CHANGEABLE) | _default_resources(body)

    def work(session: Session) -> cmlapi.Model:
        row = _model(session, project_id, model_id)
        views.apply(row, changes)
        return _view(session, row)

    return await bench.database.write(work)


async def delete_model(bench: Bench, project_id: str, model_id: str) -> cmlapi.DeleteModelResponse:
    """Delete a model with its builds and deployments."""

    def work(session: Session) -> None:
        session.delete(_model(session, project_id, model_id))

    await bench.database.write(work)
    return cmlapi.DeleteModelResponse()


async def list_model_builds(
    bench: Bench, project_id: str, model_id: str, query: ListParameters
) -> cmlapi.ListModelBuildsResponse:
    """List a model's builds."""

    def work(session: Session) -> cmlapi.ListModelBuildsResponse:
        _model(session, project_id, model_id)
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
    """Read a build; where a registered version is named, only if it was built from that."""

    def work(session: Session) -> cmlapi.ModelBuild:
        row = _build(session, project_id, model_id, build_id)
        if registered_model_version_id not in ("", row.registered_model_version_id):
            raise errors.NotFound(
                f"build {build_id!r} is not of version {registered_model_version_id!r}"
            )
        return views.model_build(row)

    return bench.database.read(work)


async def create_model_build(
    bench: Bench, project_id: str, model_id: str, body: cmlapi.CreateModelBuildRequest
) -> cmlapi.ModelBuild:
    """Create a build, and a deployment of it where the body asks for one."""

    def work(session: Session) -> cmlapi.ModelBuild:
        model = _model(session, project_id, model_id)
        row = _new_build(session, model, body)
        if body.auto_deploy_model:
            _new_deployment(session, model, row, body.auto_deployment_config)
        return views.model_build(row)

    return await bench.database.write(work)


async def delete_model_build(
    bench: Bench, project_id: str, model_id: str, build_id: str
) -> cmlapi.DeleteModelBuildResponse:
    """Delete a build with its deployments."""

    def work(session: Session) -> None:
        session.delete(_build(session, project_id, model_id, build_id))

    await bench.database.write(work)
    return cmlapi.DeleteModelBuildResponse()


async def list_model_deployments(
    bench: Bench, project_id: str, model_id: str, build_id: str, query: ListParameters
) -> cmlapi.ListModelDeploymentsResponse:
    """List a build's deployments."""

    def work(session: Session) -> cmlapi.ListModelDeploymentsResponse:
        _build(session, project_id, model_id, build_id)
        rows, token = _DEPLOYMENTS.page(session, query, ModelDeploymentRow.build_id == build_id)
        return cmlapi.ListModelDeploymentsResponse(
            model_deployments=[views.model_deployment(row) for row in rows], next_page_token=token
        )

    return bench.database.read(work)


async def get_model_deployment(
    bench: Bench, project_id: str, model_id: str, build_id: str, deployment_id: str
) -> cmlapi.ModelDeployment:
    """Read a deployment."""
    return bench.database.read(
        lambda s: views.model_deployment(
            _deployment(s, project_id, model_id, build_id, deployment_id)
        )
    )


async def create_model_deployment(
    bench: Bench,
    project_id: str,
    model_id: str,
    build_id: str,
    body: cmlapi.CreateModelDeploymentRequest,
) -> cmlapi.ModelDeployment:
    """Create a deployment of a build."""

    def work(session: Session) -> cmlapi.ModelDeployment:
        build = _build(session, project_id, model_id, build_id)
        model = _model(session, project_id, model_id)
        return views.model_deployment(_new_deployment(session, model, build, body))

    return await bench.database.write(work)


async def stop_model_deployment(
    bench: Bench, project_id: str, model_id: str, build_id: str, deployment_id: str
) -> cmlapi.ModelDeployment:
    """Stop a deployment."""
    changes = {"status": STOPPED, "stopped_at": utc_now()}
    return await _set(bench, (project_id, model_id, build_id, deployment_id), changes)


async def restart_model_deployment(
    bench: Bench, project_id: str, model_id: str, build_id: str, deployment_id: str
) -> cmlapi.ModelDeployment:
    """Put a stopped deployment back among those that wait."""
    changes = {"status": PENDING, "stopped_at": None}
    return await _set(bench, (project_id, model_id, build_id, deployment_id), changes)


async def _set(
    bench: Bench, path: tuple[str, str, str, str], changes: dict[str, Any]
) -> cmlapi.ModelDeployment:
    def work(session: Session) -> cmlapi.ModelDeployment:
        row = _deployment(session, *path)
        views.apply(row, changes)
        return views.model_deployment(row)

    return await bench.database.write(work)


def _new_build(session: Session, model: ModelRow, config: BuildConfig) -> ModelBuildRow:
    fields = views.given(config, _BUILD_FIELDS)
    row = ModelBuildRow(model_id=model.id, status=PENDING, **fields)
    session.add(row)
    session.flush()
    return row


def _new_deployment(
    session: Session, model: ModelRow, build: ModelBuildRow, config: DeploymentConfig | None
) -> ModelDeploymentRow:
    config = config or cmlapi.ShortCreateModelDeployment()
    fields = {name: getattr(model, name) for name in _RESOURCES} | views.given(config, _RESOURCES)
    gpus = model.nvidia_gpus if config.nvidia_gpus is None else config.nvidia_gpus
    for name, value in {**fields, "nvidia_gpus": gpus}.items():
        if value < 0:
            raise errors.InvalidArgument(f"{name}: must not be negative, not {value}")
    row = ModelDeploymentRow(
        project_id=model.project_id,
        model_id=model.id,
        build_id=build.id,
        status=PENDING,
        nvidia_gpu=gpus,
        environment=views.variables("environment", config.environment or {}),
        **fields,
    )
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


def _number(field: str, text: str) -> int:
    if not text.isdecimal():
        raise errors.InvalidArgument(f"{field}: {text!r} is not a whole number of 0 or more")
    return int(text)


def _view(session: Session, row: ModelRow) -> cmlapi.Model:
    return views.model(row, get_project_row(session, row.project_id))


def _model(session: Session, project_id: str, model_id: str) -> ModelRow:
    get_project_row(session, project_id)
    wanted = (ModelRow.id == model_id) & (ModelRow.project_id == project_id)
    row = session.scalar(select(ModelRow).where(wanted))
    if row is None:
        raise errors.NotFound(f"model {model_id!r} does not exist in project {project_id!r}")
    return row


def _build(session: Session, project_id: str, model_id: str, build_id: str) -> ModelBuildRow:
    _model(session, project_id, model_id)
    wanted = (ModelBuildRow.id == build_id) & (ModelBuildRow.model_id == model_id)
    row = session.scalar(select(ModelBuildRow).where(wanted))
    if row is None:
        raise errors.NotFound(f"build {build_id!r} of model {model_id!r} does not exist")
    return row


def _deployment(
    session: Session, project_id: str, model_id: str, build_id: str, deployment_id: str
) -> ModelDeploymentRow:
    _build(session, project_id, model_id, build_id)
    wanted = (ModelDeploymentRow.id == deployment_id) & (ModelDeploymentRow.build_id == build_id)
    row = session.scalar(select(ModelDeploymentRow).where(wanted))
    if row is None:
        raise errors.NotFound(f"deployment {deployment_id!r} of build {build_id!r} does not exist")
    return row
