"""Deployments of models."""

import asyncio
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from fastapi.responses import PlainTextResponse
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

import cmlapi
from chassis.rpc import errors
from services.workbench import views
from services.workbench.engine.states import ACTIVE, PENDING, STOPPING
from services.workbench.lists import Listing, ListParameters
from services.workbench.operations.model_rows import build_row, deployment_row, model_row
from services.workbench.tables import ModelBuildRow, ModelDeploymentRow, ModelRow, Row
from services.workbench.workbench import Bench, Workbench

_DEPLOYMENTS = Listing("list_model_deployments", ModelDeploymentRow, cmlapi.ModelDeployment)
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
    bench.engine.wake()
    return created


async def stop_model_deployment(
    bench: Bench, project_id: str, model_id: str, build_id: str, deployment_id: str
) -> cmlapi.ModelDeployment:
    """Ask for a deployment to be stopped; it is `stopped` once its last process is gone."""

    def work(session: Session) -> cmlapi.ModelDeployment:
        row = deployment_row(session, project_id, model_id, build_id, deployment_id)
        _ask_to_stop(row)
        return views.model_deployment(row)

    answer = await bench.database.write(work)
    bench.engine.wake()
    return answer


async def restart_model_deployment(
    bench: Bench, project_id: str, model_id: str, build_id: str, deployment_id: str
) -> cmlapi.ModelDeployment:
    """Launch a deployment anew, after its present process has been ended."""
    changes = {"status": PENDING, "stopped_at": None, "deaths": 0, "retry_at": None}

    def work(session: Session) -> cmlapi.ModelDeployment:
        row = deployment_row(session, project_id, model_id, build_id, deployment_id)
        views.apply(row, changes)
        return views.model_deployment(row)

    answer = await bench.database.write(work)
    bench.engine.wake()
    return answer


async def read_model_deployment_logs(
    bench: Bench, project_id: str, model_id: str, build_id: str, deployment_id: str
) -> PlainTextResponse:
    """The end of what a deployment's processes printed, and of what the workbench says of them.

    Not an operation of a workspace, which shows logs in its pages only.
    """
    row = bench.database.read(
        lambda s: deployment_row(s, project_id, model_id, build_id, deployment_id)
    )
    return PlainTextResponse(_tail(bench.deployments.folder(row).output))


def _tail(log: Path) -> bytes:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
            return file.read()
    except FileNotFoundError:
        return b""


async def delete_with_deployments(
    bench: Workbench, find: Callable[[Session], Row], wanted: ColumnElement[bool]
) -> None:
    """End the processes of the `wanted` deployments, then delete what `find` finds with them.

    Raises DeadlineExceeded if they are not gone in time.
    """
    limit = bench.settings.workbench_stop_grace_seconds + _DELETE_MARGIN_SECONDS
    deleted = None
    try:
        async with asyncio.timeout(limit):
            # More than once where another caller deploys meanwhile.
            while deleted is None:
                await _end_all(bench, find, wanted)
                deleted = await bench.database.write(lambda s: _delete(s, find, wanted))
    except TimeoutError:
        message = f"its processes are not gone after {limit:g} s; nothing is deleted yet"
        raise errors.DeadlineExceeded(message) from None
    for deployment_id in deleted:
        shutil.rmtree(bench.settings.models_dir / deployment_id, ignore_errors=True)


async def _end_all(
    bench: Workbench, find: Callable[[Session], Row], wanted: ColumnElement[bool]
) -> None:
    """Returns once no `wanted` deployment has a process, or is to get one."""

    def stop(session: Session) -> None:
        find(session)
        for row in session.scalars(_select_active(wanted)):
            _ask_to_stop(row)

    await bench.database.write(stop)
    bench.engine.wake()
    await bench.engine.until(lambda: not bench.database.read(lambda s: _any_active(s, wanted)))


def _delete(
    session: Session, find: Callable[[Session], Row], wanted: ColumnElement[bool]
) -> Sequence[str] | None:
    """Ids of the deployments that went with it; None, and nothing done, if one has a process."""
    if _any_active(session, wanted):
        return None
    ids = session.scalars(select(ModelDeploymentRow.id).where(wanted)).all()
    session.delete(find(session))
    return ids


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
    """Add a deployment of `build`, with the model's resources where `config` names none.

    Raises InvalidArgument naming the field that is wrong.
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
