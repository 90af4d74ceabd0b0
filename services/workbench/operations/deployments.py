"""Deployments of models."""

import asyncio
import os
import shutil
from collections.abc import Callable, Sequence

from fastapi.responses import PlainTextResponse
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

import cmlapi
from chassis.rpc import errors
from services.workbench.api import views
from services.workbench.api.lists import ListOperation, ListParameters
from services.workbench.context import Bench, WorkbenchContext
from services.workbench.engine.states import ACTIVE, PENDING, STOPPING
from services.workbench.operations.lookup import build_row, deployment_row, model_row
from services.workbench.store.tables import ModelBuildRow, ModelDeploymentRow, ModelRow, Row

_DEPLOYMENTS = ListOperation("list_model_deployments", ModelDeploymentRow, cmlapi.ModelDeployment)
_RESOURCES = ("cpu", "memory", "replicas")
_DELETE_MARGIN_SECONDS = 20
LOG_TAIL_BYTES = 65_536
DeploymentConfig = cmlapi.CreateModelDeploymentRequest | cmlapi.ShortCreateModelDeployment


async def list_model_deployments(
    bench: Bench, project_id: str, model_id: str, build_id: str, query: ListParameters
) -> cmlapi.ListModelDeploymentsResponse:
    """List a build's deployments."""

    def work(session: Session) -> cmlapi.ListModelDeploymentsResponse:
        build_row(session, project_id, model_id, build_id)
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
            deployment_row(s, project_id, model_id, build_id, deployment_id)
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
        build = build_row(session, project_id, model_id, build_id)
        model = model_row(session, project_id, model_id)
        return views.model_deployment(new_deployment(session, model, build, body))

    created = await bench.database.write(work)
    bench.scheduler.wake()
    return created


async def stop_model_deployment(
    bench: Bench, project_id: str, model_id: str, build_id: str, deployment_id: str
) -> cmlapi.ModelDeployment:
    """Request the stop of a deployment; it is `stopped` when its last process has ended."""

    def work(session: Session) -> cmlapi.ModelDeployment:
        row = deployment_row(session, project_id, model_id, build_id, deployment_id)
        _ask_to_stop(row)
        return views.model_deployment(row)

    answer = await bench.database.write(work)
    bench.scheduler.wake()
    return answer


async def restart_model_deployment(
    bench: Bench, project_id: str, model_id: str, build_id: str, deployment_id: str
) -> cmlapi.ModelDeployment:
    """Restart a deployment, when its present process has ended."""
    changes = {"status": PENDING, "stopped_at": None, "deaths": 0, "retry_at": None}

    def work(session: Session) -> cmlapi.ModelDeployment:
        row = deployment_row(session, project_id, model_id, build_id, deployment_id)
        views.apply(row, changes)
        return views.model_deployment(row)

    answer = await bench.database.write(work)
    bench.scheduler.wake()
    return answer


async def read_model_deployment_logs(
    bench: Bench, project_id: str, model_id: str, build_id: str, deployment_id: str
) -> PlainTextResponse:
    """The end of the output of a deployment's processes, and of the workbench's messages about
    them.

    A workspace has no such operation: it shows logs only in its pages.
    """
    row = bench.database.read(
        lambda s: deployment_row(s, project_id, model_id, build_id, deployment_id)
    )
    try:
        with bench.deployments.folder(row).output.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
            return PlainTextResponse(file.read())
    except FileNotFoundError:
        return PlainTextResponse(b"")


async def delete_with_deployments(
    bench: WorkbenchContext, find: Callable[[Session], Row], wanted: ColumnElement[bool]
) -> None:
    """Ends the processes of the `wanted` deployments, then deletes what `find` finds with them.

    Raises DeadlineExceeded if the processes do not end in time.
    """

    def stop(session: Session) -> None:
        find(session)
        for row in session.scalars(_select_active(wanted)):
            _ask_to_stop(row)

    def delete(session: Session) -> Sequence[str] | None:
        """Returns the ids of the deployments; None, and deletes nothing, if one has a process."""
        if _any_active(session, wanted):
            return None
        ids = session.scalars(select(ModelDeploymentRow.id).where(wanted)).all()
        session.delete(find(session))
        return ids

    limit = bench.settings.workbench_stop_grace_seconds + _DELETE_MARGIN_SECONDS
    deleted = None
    try:
        async with asyncio.timeout(limit):
            # More than once where another caller deploys meanwhile.
            while deleted is None:
                await bench.database.write(stop)
                bench.scheduler.wake()
                await bench.scheduler.until(
                    lambda: not bench.database.read(lambda s: _any_active(s, wanted))
                )
                deleted = await bench.database.write(delete)
    except TimeoutError:
        message = f"its processes are not gone after {limit:g} s; nothing is deleted yet"
        raise errors.DeadlineExceeded(message) from None
    for deployment_id in deleted:
        shutil.rmtree(bench.settings.models_dir / deployment_id, ignore_errors=True)


def _select_active(wanted: ColumnElement[bool]) -> Select[ModelDeploymentRow]:
    return select(ModelDeploymentRow).where(wanted, ModelDeploymentRow.status.in_(ACTIVE))


def _any_active(session: Session, wanted: ColumnElement[bool]) -> bool:
    return session.scalar(_select_active(wanted).limit(1)) is not None


def _ask_to_stop(row: ModelDeploymentRow) -> None:
    if row.status in ACTIVE:
        row.status = STOPPING


def new_deployment(
    session: Session, model: ModelRow, build: ModelBuildRow, config: DeploymentConfig | None
) -> ModelDeploymentRow:
    """Adds a deployment of `build`, with the resources of the model unless `config` names others.

    Raises InvalidArgument naming the wrong field.
    """
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
