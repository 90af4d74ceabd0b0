"""Keeps records in step with the workspace and with what the jobs report."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

import structlog

from chassis.errors import NotFound, Refusal
from chassis.records import now
from ft.enums import JobState
from jobs.records import JobRecord, JobRecords
from jobs.reports import MAX_NOTICES, EventReader, is_count, is_number, last_line, sentence
from jobs.states import OF_ENGINE
from jobs.workspace import Workspace

log = structlog.get_logger()

Job = TypeVar("Job", bound=JobRecord)
BUSY_SECONDS = 0.5
IDLE_SECONDS = 5.0
DISPATCH_GRACE = timedelta(seconds=90)
"""How long a start may be under way before it counts as cut off."""

_COUNTS = ("step", "total_steps")
_NUMBERS = ("epoch", "loss", "eval_loss", "tokens_per_second", "seconds_left")

Changes = dict[str, Any]


class Observer(Generic[Job]):
    """Asks about every unfinished job in turns, and writes down what has changed.

    `reported` turns an event that only one kind of job knows into changes of its record, given
    those that are made already.
    """

    def __init__(
        self,
        records: JobRecords[Job],
        workspace: Workspace,
        project: Path,
        reported: Callable[[Job, Mapping[str, Any], Changes], Changes],
        dispatch_grace: timedelta = DISPATCH_GRACE,
    ) -> None:
        self._records = records
        self._workspace = workspace
        self._project = project
        self._reported = reported
        self._dispatch_grace = dispatch_grace
        self._readers: dict[str, EventReader] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Looks again soon: there is a new job."""
        self._woken.set()

    async def run(self) -> None:
        """Observes for as long as the process runs."""
        while True:
            self._woken.clear()
            busy = await self._look()
            try:
                async with asyncio.timeout(BUSY_SECONDS if busy else IDLE_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def _look(self) -> bool:
        """Observes every unfinished job once; whether there is any."""
        try:
            unfinished = self._records.unfinished()
        except Refusal as error:
            log.warning("jobs not observed", reason=error.message)
            return True
        for job in unfinished:
            try:
                await self._observe(job)
            except Refusal as error:
                log.warning("job not observed", job_id=job.id, reason=error.message)
            except Exception:
                # One job's trouble must not end the watch over all others.
                log.exception("job not observed", job_id=job.id)
        return bool(unfinished)

    async def _observe(self, job: Job) -> None:
        if not job.cml_job_id or not job.run_id:
            await self._recover(job)
            return
        changes = await self._ask(job)
        # Read after asking: what a job reported before it ended is then surely read.
        changes |= self._read(job)
        if self._readers[job.id].behind:
            del changes["state"]  # it does not end before its last event
        state = JobState(changes.get("state", job.state))
        if state in (JobState.FAILED, JobState.TIMED_OUT) and not (
            changes.get("failure_reason") or job.failure_reason
        ):
            changes["failure_reason"] = self._reason(job, state)
        changed = {key: value for key, value in changes.items() if getattr(job, key) != value}
        if changed:
            await self._records.change(job.id, **changed)
        if state.ended:
            self._readers.pop(job.id, None)
            log.info("job ended", job_id=job.id, state=state)

    async def _recover(self, job: Job) -> None:
        """Settles a job whose start was cut off between the record and the workspace's answer."""
        if now() - job.created_at < self._dispatch_grace:
            return
        found = await self._workspace.find_job(job.id)
        runs = await self._workspace.runs(found.id) if found else []
        if found and runs:
            await self._records.change(job.id, cml_job_id=found.id, run_id=runs[0].id)
        else:
            reason = "the studio was interrupted before the workspace accepted the job"
            await self._records.change(job.id, state=JobState.FAILED, failure_reason=reason)

    async def _ask(self, job: Job) -> Changes:
        try:
            run = await self._workspace.run(str(job.cml_job_id), str(job.run_id))
        except NotFound:
            return {
                "state": JobState.FAILED,
                "failure_reason": "the workspace no longer knows the job",
            }
        return {
            "state": OF_ENGINE.get(run.status, JobState(job.state)),
            "started_at": _naive(run.running_at),
            "finished_at": _naive(run.finished_at),
        }

    def _read(self, job: Job) -> Changes:
        reader = self._readers.setdefault(job.id, EventReader(self._project / job.folder()))
        changes: Changes = {}
        notices: list[str] = json.loads(job.notices or "[]")
        for event in reader.new():
            changes |= {key: event[key] for key in _COUNTS if is_count(event.get(key))}
            changes |= {key: event[key] for key in _NUMBERS if is_number(event.get(key))}
            if event.get("event") == "failed":
                changes["failure_reason"] = sentence(event.get("reason") or "")
            if event.get("event") == "notice":
                notice = sentence(event.get("message"))
                if notice not in notices and len(notices) < MAX_NOTICES:
                    notices.append(notice)
                    changes["notices"] = json.dumps(notices)
            changes |= self._reported(job, event, changes)
        return changes

    def _reason(self, job: Job, state: JobState) -> str:
        if state is JobState.TIMED_OUT:
            return "the job ran longer than the workspace allows"
        said = last_line(self._project / job.folder())
        return (
            f"the job ended without saying why; its last line: {sentence(said)}"
            if said
            else ("the job ended before it wrote anything")
        )


def _naive(time: datetime | None) -> datetime | None:
    if time is None or time.tzinfo is None:
        return time
    return time.astimezone(UTC).replace(tzinfo=None)
