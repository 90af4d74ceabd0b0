"""Compares records with the workspace, and takes steps until they agree."""

import asyncio
import random
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, Generic, TypeVar

import structlog

from chassis.rpc.errors import NotFound, Refusal
from chassis.store.records import now
from ft.enums import JobState
from jobs.execution.dispatch import JobDispatcher
from jobs.execution.lease import Lease
from jobs.execution.observer import Observer
from jobs.execution.sightings import Sightings
from jobs.execution.turns import Turn, take
from jobs.store.history import STUDIO, WORKSPACE, JobEventRecord
from jobs.store.job_record import JobRecord
from jobs.store.records import JobRecords
from jobs.workspace.client import REQUEST_SECONDS, Workspace

log = structlog.get_logger()

Job = TypeVar("Job", bound=JobRecord)
BUSY_SECONDS = 0.5
IDLE_SECONDS = 5.0
CALLS_PER_SECOND = 20.0
"""Most calls to the workspace in a second, whatever the number of jobs."""
AT_ONCE = 4
"""Number of jobs that are reconciled at the same time."""
JOBS_IN_A_ROUND = 10
"""Most jobs that are reconciled before others get their turn."""
FORGOTTEN_AT_ONCE = 1000
"""Most sightings of jobs that no longer wait, before these sightings are dropped."""
UNTOUCHED = timedelta(seconds=3)
"""Time after which another process continues the creation of a job whose record has not changed,
for each second of the timeout of a call to the workspace. Longer than one such call."""


class Reconciler(Generic[Job]):
    """Reconciles every job that is not settled, again and again, in one process at a time.

    It continues a creation that was interrupted, stops a job until it has stopped, and observes a
    job that runs. If a job that was given up or removed appears in the workspace, it is deleted
    there. It never changes anything that the studio has no record of.

    Each round takes a few jobs, so that the workspace gets at most CALLS_PER_SECOND calls. The
    jobs of each state have turns of their own. A job without a change costs one call, so the
    record of one of n jobs is at most about n / CALLS_PER_SECOND seconds old if all are in one
    state, and 2.5 times that if there are some in every state.
    """

    def __init__(
        self,
        records: JobRecords[Job],
        workspace: Workspace,
        dispatcher: JobDispatcher[Job],
        observer: Observer[Job],
        lease: Lease,
        untouched: timedelta = UNTOUCHED * REQUEST_SECONDS,
        sightings: Sightings | None = None,
    ) -> None:
        self._waiting = sightings or Sightings()
        """The time since when this process has seen each job that is to be continued without a
        change."""
        self._still_waiting = 0
        """Number of such jobs when the others were last dropped."""
        self._pauses: dict[str, timedelta] = {}
        """Remaining pause before an attempt when this process first saw its job."""
        self._records = records
        self._workspace = workspace
        self._dispatcher = dispatcher
        self._observer = observer
        self._lease = lease
        self._untouched = untouched
        self._turns: list[Turn[Any]] = [
            *(Turn(partial(records.in_state, state)) for state in JobState if not state.ended),
            Turn(records.unsettled),
        ]
        self._removed: Turn[Any] = Turn(records.log.removed)
        self._woken = asyncio.Event()
        self._settled_at: int | None = None
        """Number of commits of the store when nothing was left to do, see `Store.commits`."""

    def wake(self) -> None:
        """Starts the next round soon, because something has changed."""
        self._woken.set()

    async def run(self) -> None:
        """Reconciles for as long as the process runs."""
        try:
            while True:
                self._woken.clear()
                pause, calls = IDLE_SECONDS, self._workspace.calls
                try:
                    commits = self._records.store.commits
                    unchanged = commits is not None and commits == self._settled_at
                    if not unchanged and await self._lease.held():
                        jobs = await self._reconcile()
                        if jobs:
                            pause = BUSY_SECONDS
                        self._settled_at = None if jobs else commits
                except Refusal as error:
                    log.warning("jobs not reconciled", reason=error.message)
                # However often there is something new, nobody can shorten this pause.
                rest = (self._workspace.calls - calls) / CALLS_PER_SECOND
                await asyncio.sleep(rest)
                pause = max(pause * random.uniform(0.8, 1.2) - rest, 0)  # noqa: S311
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._woken.wait()
        finally:
            # A process that takes its place need not wait until this one counts as dead.
            with suppress(Refusal):
                await self._lease.release()

    async def _reconcile(self) -> int:
        """Takes the next step with some of the jobs that are not settled. Returns their number."""
        chosen = [item.id for _, item in take(self._turns, JOBS_IN_A_ROUND)]
        side_by_side = asyncio.Semaphore(AT_ONCE)

        async def one(id: str) -> None:
            async with side_by_side:
                await self._attempt(id, self._step(id))

        await asyncio.gather(*map(one, chosen))
        removed = [note for _, note in take([self._removed], JOBS_IN_A_ROUND)]
        for note in removed:
            await self._attempt(note.job_id, self._forgotten(note))
        self._forget_sightings()
        return len(chosen) + len(removed)

    async def _step(self, id: str) -> None:
        job = self._records.one(id=id)
        if job is None:
            return
        if not JobState(job.state).ended:
            await self._unfinished(job)
        elif job.sent_at is not None:
            await self._given_up(job)

    def _forget_sightings(self) -> None:
        """Drops the sightings and pauses of jobs that no longer wait, if there are many."""
        if self._waiting.count <= 2 * self._still_waiting + FORGOTTEN_AT_ONCE:
            return
        waiting = set(self._records.not_sent())
        self._waiting.keep(waiting)
        self._pauses = {id: pause for id, pause in self._pauses.items() if id in waiting}
        self._still_waiting = self._waiting.count

    @staticmethod
    async def _attempt(id: str, work: Awaitable[None]) -> None:
        try:
            await work
        except Refusal as error:
            log.warning("job not reconciled", job_id=id, reason=error.message)
        except Exception:
            # One job's trouble must not end the watch over all others.
            log.exception("job not reconciled", job_id=id)

    async def _unfinished(self, job: Job) -> None:
        if job.id in self._dispatcher.in_hand:
            return
        match job.state:
            case JobState.QUEUED | JobState.DISPATCHING:
                if self._is_due(job):
                    await self._dispatcher.carry(job.id)
            case JobState.STOPPING:
                await self._stop(job)
            case _:
                await self._observer.observe(job)

    def _is_due(self, job: Job) -> bool:
        """Tells whether this process is to continue a job now."""
        as_it_is = (job.state, job.updated_at, job.not_before)
        waited = self._waiting.unchanged(job.id, as_it_is)
        if job.state == JobState.QUEUED and job.not_before is not None:
            # Queued by the reconciler itself: nobody else has it in hand.
            if not waited:
                # No clock can make it more than the whole pause, which began with that change.
                pause = job.not_before - job.updated_at
                self._pauses[job.id] = min(pause, job.not_before - now())
            return waited >= self._pauses[job.id]
        return waited >= self._untouched

    async def _stop(self, job: Job) -> None:
        if job.cml_job_id and job.run_id:
            await self._observer.observe(job)
            current = self._records.one(id=job.id)
            if current is not None and current.state == JobState.STOPPING:
                try:
                    await self._workspace.stop_run(str(job.cml_job_id), str(job.run_id))
                except NotFound:
                    cause = "the workspace no longer knows the job"
                    await self._records.move(job.id, JobState.STOPPED, cause=cause, actor=WORKSPACE)
            return
        if not self._dispatcher.settled(job):
            return
        await self._dispatcher.withdraw_named(job.id)
        # Should it be resumed, it is made anew.
        await self._records.move(
            job.id,
            JobState.STOPPED,
            actor=STUDIO,
            cml_job_id=None,
            sent_at=None,
        )

    async def _given_up(self, job: Job) -> None:
        if self._dispatcher.settled(job):
            await self._dispatcher.withdraw_named(job.id)
            await self._records.change(job.id, sent_at=None)
            self._dispatcher.forget(job.id)

    async def _forgotten(self, note: JobEventRecord) -> None:
        if self._dispatcher.late(note.id, note.created_at):
            await self._dispatcher.withdraw_named(note.job_id)
            await self._records.log.clear_removed(note)
            self._dispatcher.forget(note.id)
