"""Jobs and their runs."""

import asyncio
import math
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

import cmlapi
from chassis.rpc import errors, names
from cmlapi import EngineStatus
from services.workbench.api import views
from services.workbench.api.lists import ListOperation, ListParameters
from services.workbench.context import Bench
from services.workbench.engine.states import UNFINISHED
from services.workbench.host import labels
from services.workbench.operations.lookup import job_row, project_row, run_row
from services.workbench.store.tables import JobRow, JobRunRow, utc_now

_JOBS = ListOperation("list_jobs", JobRow, cmlapi.Job)


def _of_its_job(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    return select(column).where(JobRow.id == JobRunRow.job_id).scalar_subquery()


_RUNS = ListOperation(
    "list_job_runs",
    JobRunRow,
    cmlapi.JobRun,
    {
        "script": JobRunRow.script.expression,
        "name": _of_its_job(JobRow.name),
        "paused": _of_its_job(JobRow.paused),
        "type": _of_its_job(JobRow.type),
    },
)
_PLAIN_FIELDS = (
    "name",
    "script",
    "kernel",
    "arguments",
    "cpu",
    "memory",
    "nvidia_gpu",
    "kill_on_timeout",
    "timezone",
    "paused",
    "run_as",
    "runtime_identifier",
    "runtime_addon_identifiers",
)
_COPIED_FIELDS = (
    "script",
    "cpu",
    "memory",
    "nvidia_gpu",
    "accelerator_label_id",
    "timeout",
    "kill_on_timeout",
    "kernel",
    "runtime_identifier",
)
"""Fields that a run copies from its job."""
# A workspace would act on these at some later time; here nothing would, so they are refused.
_UNSUPPORTED = (
    "schedule",
    "parent_id",
    "parent_job_id",
    "recipients",
    "attachments",
    "success_recipients",
    "failure_recipients",
    "timeout_recipients",
    "stopped_recipients",
)
_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (lambda v: bool(v.strip()), "must not be blank"),
    "script": (lambda v: bool(v.strip()) and "\0" not in v, "must name a script"),
    "cpu": (lambda v: math.isfinite(v) and v > 0, "must be more than 0 and finite"),
    "memory": (lambda v: math.isfinite(v) and v > 0, "must be more than 0 and finite (GiB)"),
    "nvidia_gpu": (lambda v: v >= 0, "must not be negative"),
    "timeout": (lambda v: v >= 0, "must not be negative (seconds; 0 for no limit)"),
    "arguments": (lambda v: "\0" not in v, "must not contain a NUL"),
}
_DELETE_MARGIN_SECONDS = 20


async def list_jobs(
    bench: Bench, project_id: str, query: ListParameters
) -> cmlapi.ListJobsResponse:
    """List a project's jobs."""
    return bench.database.read(lambda s: _jobs_page(s, query, project_row(s, project_id).id))


async def list_all_jobs(bench: Bench, query: ListParameters) -> cmlapi.ListJobsResponse:
    """List the jobs of all projects; there is one project."""
    project_id = bench.settings.workbench_project_id
    return bench.database.read(lambda s: _jobs_page(s, query, project_id))


def _jobs_page(session: Session, query: ListParameters, project_id: str) -> cmlapi.ListJobsResponse:
    project = project_row(session, project_id)
    rows, token = _JOBS.page(session, query, JobRow.project_id == project_id, ~JobRow.deleting)
    return cmlapi.ListJobsResponse(
        jobs=[views.job(row, project) for row in rows], next_page_token=token
    )


async def get_job(bench: Bench, project_id: str, job_id: str) -> cmlapi.Job:
    """Read a job."""
    return bench.database.read(
        lambda s: views.job(job_row(s, project_id, job_id), project_row(s, project_id))
    )


async def create_job(bench: Bench, project_id: str, body: cmlapi.CreateJobRequest) -> cmlapi.Job:
    """Create a job."""
    values = _values(bench, body)
    if body.environment is not None:
        values["environment"] = views.variables("environment", body.environment)
    if body.timeout is not None:
        values["timeout"] = body.timeout
    for required in ("name", "script"):
        if required not in values:
            raise errors.InvalidArgument(f"{required}: must be given")
    _check(values)

    def work(session: Session) -> cmlapi.Job:
        project = project_row(session, project_id)
        label = labels.asked_for(session, body.accelerator_label_id or "")
        row = JobRow(project_id=project.id, accelerator_label_id=label, **values)
        session.add(row)
        session.flush()
        return views.job(row, project)

    return await bench.database.write(work)


async def update_job(bench: Bench, project_id: str, job_id: str, body: cmlapi.Job) -> cmlapi.Job:
    """Change the fields that are given; existing runs keep their values."""
    values = _values(bench, body)
    if body.environment is not None:
        values["environment"] = views.environment("environment", body.environment)
    if body.timeout is not None:
        try:
            values["timeout"] = int(body.timeout)
        except ValueError:
            raise errors.InvalidArgument(
                f"timeout: {body.timeout!r} is not a number of seconds"
            ) from None
    _check(values)

    def work(session: Session) -> cmlapi.Job:
        row = job_row(session, project_id, job_id)
        if (given := body.accelerator_label_id) is not None:
            kept = row.accelerator_label_id
            values["accelerator_label_id"] = labels.asked_for(session, given, kept)
        views.apply(row, values)
        return views.job(row, project_row(session, project_id))

    return await bench.database.write(work)


async def delete_job(bench: Bench, project_id: str, job_id: str) -> cmlapi.DeleteJobResponse:
    """Stop a job's runs, wait until they have ended, and delete the job with them."""

    def work(session: Session) -> None:
        row = job_row(session, project_id, job_id)
        row.deleting = True
        unfinished = (JobRunRow.job_id == job_id) & JobRunRow.status.in_(UNFINISHED)
        for run in session.scalars(select(JobRunRow).where(unfinished)):
            _ask_to_stop(run)

    await bench.database.write(work)
    bench.scheduler.wake()
    limit = bench.settings.workbench_stop_grace_seconds + _DELETE_MARGIN_SECONDS
    gone = select(JobRow.id).where(JobRow.id == job_id)
    try:
        async with asyncio.timeout(limit):
            await bench.scheduler.until(
                lambda: bench.database.read(lambda s: s.scalar(gone)) is None
            )
    except TimeoutError:
        raise errors.DeadlineExceeded(
            f"job {job_id!r} is being deleted, but its runs are not gone after {limit:g} s"
        ) from None
    return cmlapi.DeleteJobResponse()


async def list_job_runs(
    bench: Bench, project_id: str, job_id: str, query: ListParameters
) -> cmlapi.ListJobRunsResponse:
    """List a job's runs."""

    def work(session: Session) -> cmlapi.ListJobRunsResponse:
        job_row(session, project_id, job_id)
        rows, token = _RUNS.page(session, query, JobRunRow.job_id == job_id)
        return cmlapi.ListJobRunsResponse(
            job_runs=[views.job_run(row, bench.runs.reason(row)) for row in rows],
            next_page_token=token,
        )

    return bench.database.read(work)


async def get_job_run(bench: Bench, project_id: str, job_id: str, run_id: str) -> cmlapi.JobRun:
    """Read a run."""
    row = bench.database.read(lambda s: run_row(s, project_id, job_id, run_id))
    return views.job_run(row, bench.runs.reason(row))


async def create_job_run(
    bench: Bench, project_id: str, job_id: str, body: cmlapi.CreateJobRunRequest
) -> cmlapi.JobRun:
    """Queue a run of a job, with its own arguments and environment if they are given."""
    own = views.variables("environment", body.environment or {})
    _check(views.given(body, ("arguments",)))

    def work(session: Session) -> cmlapi.JobRun:
        job = job_row(session, project_id, job_id)
        row = JobRunRow(
            project_id=project_id,
            job_id=job_id,
            status=EngineStatus.SCHEDULING,
            arguments=job.arguments if body.arguments is None else body.arguments,
            environment=job.environment | own,
            **{name: getattr(job, name) for name in _COPIED_FIELDS},
        )
        session.add(row)
        session.flush()
        return views.job_run(row)

    created = await bench.database.write(work)
    bench.scheduler.wake()
    return created


async def stop_job_run(bench: Bench, project_id: str, job_id: str, run_id: str) -> cmlapi.JobRun:
    """Request the stop of a run; it is STOPPED when its last process has ended."""

    def work(session: Session) -> cmlapi.JobRun:
        row = run_row(session, project_id, job_id, run_id)
        _ask_to_stop(row)
        return views.job_run(row)

    answer = await bench.database.write(work)
    bench.scheduler.wake()
    return answer


def _ask_to_stop(run: JobRunRow) -> None:
    if run.status == EngineStatus.SCHEDULING:
        run.status = EngineStatus.STOPPED
        run.finished_at = run.after(utc_now())
    elif run.status in UNFINISHED:
        run.status = EngineStatus.STOPPING


def _values(bench: Bench, body: cmlapi.CreateJobRequest | cmlapi.Job) -> dict[str, Any]:
    for name in _UNSUPPORTED:
        if getattr(body, name, None):
            raise errors.Unimplemented(f"{name}: the workbench does not support it")
    values = views.given(body, _PLAIN_FIELDS)
    runtime = values.get("runtime_identifier")
    if runtime and runtime != bench.runtime.identifier:
        raise errors.InvalidArgument(
            f"runtime_identifier: {runtime!r} is not a runtime of this workbench, which has "
            f"{bench.runtime.identifier!r}"
        )
    return values


def _check(values: dict[str, Any]) -> None:
    broken = [
        f"{name}: {rule}, not {values[name]!r}"
        for name, (holds, rule) in _RULES.items()
        if name in values and not holds(values[name])
    ]
    if clause := names.hidden(values.get("name", "")):
        broken.append(f"name: {clause}")
    if broken:
        raise errors.InvalidArgument("; ".join(broken))
