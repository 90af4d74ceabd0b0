"""Experiments of MLflow, their runs, and the data that was logged."""

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from fastapi.responses import JSONResponse
from sqlalchemy import String, cast, literal, select
from sqlalchemy.orm import Session

import cmlapi
from services.workbench.api import views
from services.workbench.api.lists import ListOperation, ListParameters
from services.workbench.context import Bench, WorkbenchContext
from services.workbench.operations.lookup import project_row, require_row
from services.workbench.store import tracking
from services.workbench.store.tables import RegisteredModelRow, RegisteredModelVersionRow
from services.workbench.store.tracking import (
    ACTIVE,
    ExperimentRow,
    ExperimentTagRow,
    LatestMetricRow,
    MetricRow,
    ParamRow,
    RunRow,
    TagRow,
)

T = TypeVar("T")
_STATUS = "EXPERIMENT_RUN_"
"""Prefix of MLflow's name of a status."""
_EXPERIMENTS = ListOperation(
    "list_experiments", ExperimentRow, cmlapi.Experiment, {"id": ExperimentRow.seq.expression}
)
_RUNS = ListOperation(
    "list_experiment_runs",
    RunRow,
    cmlapi.ExperimentRun,
    {
        "status": literal(_STATUS, String()).concat(RunRow.status.expression),
        "name": RunRow.name.expression,
        "created_at": RunRow.start_time.expression,
        "creator.name": RunRow.user_id.expression,
        "creator.username": RunRow.user_id.expression,
    },
)


async def list_experiments(
    bench: Bench, project_id: str, query: ListParameters
) -> cmlapi.ListExperimentsResponse:
    """List the experiments that were not deleted."""

    def work(session: Session) -> cmlapi.ListExperimentsResponse:
        rows, token = _EXPERIMENTS.page(session, query, ExperimentRow.lifecycle_stage == ACTIVE)
        return cmlapi.ListExperimentsResponse(
            experiments=[_experiment_view(session, project_id, row) for row in rows],
            next_page_token=token,
        )

    return await _read(bench, project_id, work)


async def get_experiment(bench: Bench, project_id: str, experiment_id: str) -> cmlapi.Experiment:
    """Read an experiment."""
    return await _read(
        bench,
        project_id,
        lambda s: _experiment_view(s, project_id, _experiment(s, experiment_id)),
    )


async def list_experiment_runs(
    bench: Bench, project_id: str, experiment_id: str, query: ListParameters
) -> JSONResponse:
    """List the runs of an experiment that were not deleted."""

    def work(session: Session) -> cmlapi.ListExperimentRunsResponse:
        of_it = RunRow.experiment_id == _experiment(session, experiment_id).seq
        rows, token = _RUNS.page(session, query, of_it, RunRow.lifecycle_stage == ACTIVE)
        return cmlapi.ListExperimentRunsResponse(
            experiment_runs=_run_views(bench, session, rows), next_page_token=token
        )

    return _answer(await _read(bench, project_id, work))


async def get_experiment_run(
    bench: Bench, project_id: str, experiment_id: str, run_id: str
) -> JSONResponse:
    """Read a run."""
    return _answer(
        await _read(
            bench,
            project_id,
            lambda s: _run_views(bench, s, [_run(s, experiment_id, run_id)])[0],
        )
    )


async def get_experiment_run_metrics(
    bench: Bench, project_id: str, experiment_id: str, run_id: str, metric_key: str
) -> JSONResponse:
    """Read all values of a metric, in the order of their steps."""

    def work(session: Session) -> cmlapi.GetExperimentRunMetricsResponse:
        run = _run(session, experiment_id, run_id)
        wanted = (MetricRow.run_id == run.id) & (MetricRow.key == metric_key)
        ordered = select(MetricRow).where(wanted).order_by(MetricRow.step, MetricRow.timestamp)
        return cmlapi.GetExperimentRunMetricsResponse(
            metrics=[_metric(row) for row in session.scalars(ordered)]
        )

    return _answer(await _read(bench, project_id, work))


async def _read(bench: WorkbenchContext, project_id: str, work: Callable[[Session], T]) -> T:
    environment = bench.database.read(lambda s: dict(project_row(s, project_id).environment))
    # In a thread: another process may hold the file for a while.
    return await asyncio.to_thread(tracking.read, bench.settings.project, environment, work)


def _answer(document: Any) -> JSONResponse:
    """Return the document as JSON; a number that JSON cannot express is written as its name."""
    return JSONResponse(_named_numbers(views.plain(document)))


def _named_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _named_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_named_numbers(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _experiment(session: Session, experiment_id: str) -> ExperimentRow:
    wanted = cast(ExperimentRow.seq, String) == experiment_id
    missing = f"experiment {experiment_id!r} does not exist"
    return require_row(session, ExperimentRow, wanted, missing)


def _run(session: Session, experiment_id: str, run_id: str) -> RunRow:
    of_it = RunRow.experiment_id == _experiment(session, experiment_id).seq
    missing = f"run {run_id!r} of experiment {experiment_id!r} does not exist"
    return require_row(session, RunRow, of_it & (RunRow.id == run_id), missing)


def _experiment_view(session: Session, project_id: str, row: ExperimentRow) -> cmlapi.Experiment:
    of_it = ExperimentTagRow.experiment_id == row.seq
    return views.document(
        cmlapi.Experiment,
        row,
        id=str(row.seq),
        project_id=project_id,
        user=views.user(),
        tags=_tags(session.scalars(select(ExperimentTagRow).where(of_it))),
    )


def _run_views(
    bench: WorkbenchContext, session: Session, rows: Sequence[RunRow]
) -> list[cmlapi.ExperimentRun]:
    ids = [row.id for row in rows]
    registered = bench.database.read(lambda s: _registered(s, ids))

    def logged(table: Any) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {id: [] for id in ids}
        for one in session.scalars(select(table).where(table.run_id.in_(ids)).order_by(table.key)):
            found[one.run_id].append(one)
        return found

    metrics, params, tags = logged(LatestMetricRow), logged(ParamRow), logged(TagRow)
    return [
        views.document(
            cmlapi.ExperimentRun,
            row,
            experiment_id=str(row.experiment_id),
            status=_STATUS + row.status,
            user=cmlapi.ShortUser(username=row.user_id, name=row.user_id, email=""),
            data=cmlapi.ExperimentRunData(
                metrics=[_metric(one) for one in metrics[row.id]],
                params=_tags(params[row.id]),
                tags=_tags(tags[row.id]),
                files=_files(bench.settings.project, row.artifact_uri or ""),
                registered_model_metadata=[m for m in registered if m.run_id == row.id],
            ),
        )
        for row in rows
    ]


def _metric(row: MetricRow | LatestMetricRow) -> cmlapi.Metric:
    value = float("nan") if row.is_nan else row.value
    return cmlapi.Metric(key=row.key, value=value, timestamp=row.timestamp, step=str(row.step))


def _tags(rows: Iterable[ParamRow | TagRow | ExperimentTagRow]) -> list[cmlapi.Tag]:
    return [cmlapi.Tag(key=row.key, value=row.value or "") for row in rows]


def _files(project: Path, artifact_uri: str) -> list[cmlapi.FileInfo]:
    """Return the top level of a run's artifacts, as far as it is in the project."""
    parts = urlsplit(artifact_uri)
    local = unquote(parts.path) if parts.scheme == "file" else artifact_uri
    folder = (project / local).resolve()
    if not folder.is_relative_to(project.resolve()) or not folder.is_dir():
        return []
    return [views.file(folder, entry) for entry in sorted(folder.iterdir())]


def _registered(session: Session, run_ids: Sequence[str]) -> list[cmlapi.RegisteredModelMetadata]:
    version = RegisteredModelVersionRow
    query = (
        select(version, RegisteredModelRow.name)
        .join(RegisteredModelRow, RegisteredModelRow.id == version.model_id)
        .where(version.run_id.in_(run_ids))
    )
    return [
        cmlapi.RegisteredModelMetadata(
            model_path=row.model_path,
            model_name=name,
            model_id=row.model_id,
            model_version_id=row.id,
            version_number=row.number,
            run_id=row.run_id,
            created_at=row.created_at,
        )
        for row, name in session.execute(query)
    ]
