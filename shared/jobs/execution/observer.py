"""Keeps a running job's record in step with the workspace and with what the job reports."""

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

import structlog

from chassis.rpc.errors import NotFound
from ft.enums import FailureKind, JobState
from ft.job_protocol.events import Failed, JobEvent, NoticeGiven, parse_lines
from ft.job_protocol.variables import CANNOT_RUN, WAITS_FOR
from jobs.execution.job_folder import (
    EventReader,
    claimed_by,
    last_lines,
    sentence,
    with_notice,
)
from jobs.execution.sightings import Sightings
from jobs.failures import FIRST_PAUSE, Failure, kind_of, reported_kind
from jobs.store.history import JOB, WORKSPACE
from jobs.store.job_record import JobRecord
from jobs.store.records import JobRecords
from jobs.store.states import OF_ENGINE
from jobs.workspace.client import REQUEST_SECONDS, Workspace

log = structlog.get_logger()

Job = TypeVar("Job", bound=JobRecord)
LOST_AFTER = timedelta(seconds=2)
"""Time for which the workspace must report a job as unknown before the job counts as lost, for each
second of the timeout of a call."""

_FAILED = (JobState.FAILED, JobState.TIMED_OUT, JobState.LOST)
_PROGRESS = tuple(field.name for field in fields(JobEvent))
"""Columns of a record that an event of any kind may change."""
Changes = dict[str, Any]
"""Columns of a record with their new values."""
ChangesOfEvent = Callable[[Job, JobEvent, Changes], Changes]
"""Returns the changes that an event makes to jobs of one kind only. It gets the changes by earlier
events of the same report."""


class Observer(Generic[Job]):
    """Observes one job at a time, and records what has changed.

    `changes_of_event` returns the changes by an event that only one kind of job has, given the
    changes that are made already.
    """

    def __init__(
        self,
        records: JobRecords[Job],
        workspace: Workspace,
        project: Path,
        changes_of_event: ChangesOfEvent[Job],
        lost_after: timedelta = LOST_AFTER * REQUEST_SECONDS,
        first_pause: timedelta = FIRST_PAUSE,
        sightings: Sightings | None = None,
    ) -> None:
        self._records = records
        self._workspace = workspace
        self._project = project
        self._changes_of_event = changes_of_event
        self._lost_after = lost_after
        self._first_pause = first_pause
        self._missing = sightings or Sightings()
        """The time since when the workspace does not know a job."""

    async def observe(self, job: Job) -> None:
        """Asks the workspace about a job that it has accepted, and reads the job's events.

        If the job has failed and its retry policy allows another attempt, that attempt is queued.
        """
        state, changes = await self._ask(job)
        if state.ended and await self._was_another_run(job):
            return
        # Read after asking: what a job reported before it ended is then surely read.
        reader = EventReader(self._project / job.folder(), job.reported_offset or 0)
        changes |= self._changes(job, reader.new(job.attempt or 1))
        changes["reported_offset"] = reader.offset or None
        if reader.behind:
            state = JobState(job.state)  # it does not end before its last event
        if not await self._write(job, changes):
            # The job has reported meanwhile: the next look is at what that has made of it.
            return
        if state == JobState.SCHEDULED and changes.get("failure_kind") == FailureKind.REFUSED:
            # Its failure is recorded: it ends when the workspace has taken the run back.
            await self._workspace.stop_run(str(job.cml_job_id), str(job.run_id))
        if state != job.state:
            await self._move(job, state, changes)
        if state.ended:
            self._missing.forget(job.id)

    async def take(self, job: Job, lines: bytes) -> None:
        """Records the events in these lines, which follow the known part of the job's file. Does
        nothing if they are already recorded."""
        changes = self._changes(job, parse_lines(lines, job.attempt or 1))
        changes["reported_offset"] = (job.reported_offset or 0) + len(lines)
        await self._write(job, changes)

    async def _was_another_run(self, job: Job) -> bool:
        """Tells whether the recorded run has ended because another run works on the job; records
        that run."""
        worker = claimed_by(self._project / job.folder(), job.attempt or 1)
        if worker in ("", job.run_id):
            return False
        runs = await self._workspace.runs(str(job.cml_job_id))
        if worker not in [run.id for run in runs]:
            return False
        await self._records.change(job.id, run_id=worker)
        return True

    async def _write(self, job: Job, changes: Changes) -> bool:
        """Writes the changes. Returns False if the record has changed meanwhile."""
        changed = {key: value for key, value in changes.items() if getattr(job, key) != value}
        return not changed or await self._records.observed(job, **changed)

    async def _move(self, job: Job, state: JobState, changes: Changes) -> None:
        values: Changes = {}
        actor, cause = WORKSPACE, ""
        if state in _FAILED:
            failure = self._failure(job, state, changes)
            actor, cause = failure.actor, failure.cause
            values |= {"failure_reason": cause, "failure_kind": failure.kind}
            if await self._records.retry(job, state, failure, self._first_pause):
                log.info("job retried", job_id=job.id, after=state, cause=cause)
                return
        moved = await self._records.move(
            job.id, state, cause=cause, actor=actor, of_run=job.run_id, **values
        )
        if moved:
            log.info("job moved", job_id=job.id, state=state, cause=cause)

    def _failure(self, job: Job, state: JobState, changes: Changes) -> Failure:
        if said := changes.get("failure_reason") or job.failure_reason:
            kind = changes.get("failure_kind") or job.failure_kind or FailureKind.ERROR
            return Failure(kind, said, WORKSPACE if kind == FailureKind.REFUSED else JOB)
        lines = last_lines(self._project / job.folder())
        if state is JobState.TIMED_OUT:
            reason = "the job ran longer than the workspace allows"
        elif state is JobState.LOST:
            reason = "the workspace no longer knows the job"
        elif not lines:
            reason = (
                "the job ended before it wrote a report; its output, if any, is in the log of its "
                "run in the workspace"
            )
        else:
            last = "its last line" if len(lines) == 1 else "its last lines"
            reason = f"the job ended without saying why; {last}: {' | '.join(lines)}"
        return Failure(kind_of(state, lines), sentence(reason), WORKSPACE)

    async def _ask(self, job: Job) -> tuple[JobState, Changes]:
        try:
            run = await self._workspace.run(str(job.cml_job_id), str(job.run_id))
        except NotFound:
            lost = self._missing.unchanged(job.id) >= self._lost_after
            return (JobState.LOST if lost else JobState(job.state)), {}
        self._missing.forget(job.id)
        state = OF_ENGINE.get(run.status, JobState(job.state))
        if job.state == JobState.STOPPING and not state.ended:
            state = JobState.STOPPING
        started = job.in_order(_naive(run.running_at))
        finished = job.in_order(_naive(run.finished_at), started)
        waits_for = _waits_for(run) if state == JobState.SCHEDULED else None
        changes = {"started_at": started, "finished_at": finished, "waits_for": waits_for}
        if waits_for is not None and waits_for.startswith(CANNOT_RUN):
            reason = (
                f"{waits_for}. These resources existed when the job was started. Resume the job "
                "when they exist again, or start it with fewer resources"
            )
            changes |= {"failure_kind": FailureKind.REFUSED, "failure_reason": sentence(reason)}
        elif job.failure_kind == FailureKind.REFUSED and job.state == JobState.SCHEDULED:
            if state == JobState.STOPPED:
                state = JobState.FAILED
            else:
                # It has begun after all, before it was taken back.
                changes |= {"failure_kind": None, "failure_reason": None}
        return state, changes

    def _changes(self, job: Job, events: Iterable[JobEvent]) -> Changes:
        changes: Changes = {}
        notices: list[str] = json.loads(job.notices or "[]")
        for event in events:
            progress = {name: getattr(event, name) for name in _PROGRESS}
            changes |= {name: value for name, value in progress.items() if value is not None}
            match event:
                case Failed():
                    changes["failure_reason"] = sentence(event.reason)
                    changes["failure_kind"] = reported_kind(event.kind)
                case NoticeGiven() if event.message:
                    notices = with_notice(notices, event.message)
                    changes["notices"] = json.dumps(notices)
            for name, value in self._changes_of_event(job, event, changes).items():
                kind = self._records.table.c[name].type.python_type
                # A value that the column does not take would be read again and again.
                if value is None or (isinstance(value, kind) and "\0" not in str(value)):
                    changes[name] = value
        return changes


def _waits_for(run: Any) -> str | None:
    """Reason why a run has not started, as far as the workspace states it."""
    try:
        said = json.loads(run.environment or "{}").get(WAITS_FOR)
    except (ValueError, AttributeError):
        said = None
    if said:
        return sentence(said)
    return "it is queued in the workspace" if run.status == "ENGINE_SCHEDULING" else None


def _naive(time: datetime | None) -> datetime | None:
    if time is None or time.tzinfo is None:
        return time
    return time.astimezone(UTC).replace(tzinfo=None)
