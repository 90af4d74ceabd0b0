"""Start, cancellation, resumption and removal of jobs, the same for every kind."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_exponential

from chassis.paths import require_writable
from chassis.rpc.domain_request import RequestKey
from chassis.rpc.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    NotFound,
    PermissionDenied,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from chassis.store.forms import M, MessageForm
from ft.enums import FailureKind, JobState
from ft.job_protocol.files import LOG_FILE
from ft.proto.fine_tuning_studio_jobs_pb2 import TailLogsResponse
from jobs.execution.dispatch import UNDECIDED, JobDispatcher
from jobs.execution.tail import tail
from jobs.rules import RESUMABLE
from jobs.store.history import USER, WORKSPACE
from jobs.store.job_record import JobRecord
from jobs.store.records import JobRecords
from jobs.watch import JobWatch
from jobs.workspace.client import Workspace

Job = TypeVar("Job", bound=JobRecord)

_ABOUT_THE_STUDIO = (AlreadyExists, NotFound, PermissionDenied, Unauthenticated)
"""Refusals that concern the studio's own call to the workspace, and would mislead the client."""
PATIENCE = 1 / 3
"""Time that a start waits for a workspace that does not answer, as a share of the time limit of one
request. A workspace that restarts should not fail a start."""
_AGAIN = wait_exponential(multiplier=0.1, max=1.0)


class JobLifecycle(Generic[Job]):
    """Starts, finds, cancels, resumes and removes the jobs of one kind.

    `kind` is their name in messages. `wake` is called when there is something to reconcile.
    `patience` is the time in seconds that a start waits for a workspace that does not answer.
    """

    def __init__(
        self,
        kind: str,
        records: JobRecords[Job],
        workspace: Workspace,
        dispatcher: JobDispatcher[Job],
        project: Path,
        wake: Callable[[], None],
        patience: float,
    ) -> None:
        self.records = records
        self.events = JobWatch(self.get_any, records)
        self._kind = kind
        self._workspace = workspace
        self._dispatcher = dispatcher
        self._project = project
        self._wake = wake
        self._patience = patience

    def get(self, id: str) -> Job:
        """Returns the job with that id. Raises NotFound."""
        return self.records.get(id, self._kind)

    def message(self, form: MessageForm[M], id: str) -> M:
        """Returns the message of the job with that id. Raises NotFound."""
        return self.records.message(form, id, self._kind)

    def get_any(self, id: str) -> Job:
        """Returns the job with that id, for calls about jobs of every kind. Raises NotFound.

        The facade asks one domain after the other, so the message does not name the kind.
        """
        return self.records.get(id)

    def started_by(self, key: RequestKey) -> Sequence[Job]:
        """Returns the jobs that the request has started; none if it is new or has no id.

        Raises InvalidArgument if another request has the same id.
        """
        jobs = self.records.all(request_id=key.request_id) if key else []
        for job in jobs:
            key.require_same(job.request_digest, job.id)
        return jobs

    async def start(self, jobs: Sequence[Job], earlier: Sequence[Job] = ()) -> list[Job]:
        """Records jobs, all or none, and returns them when the workspace has accepted them.

        `earlier` are jobs that the same request has started before.

        If the workspace refuses a job, the record has the reason, and the same request id starts a
        new one. If it does not answer, jobs with a request id stay queued, because their caller can
        repeat the request; the others fail and will never run. A failure of one job ends all.
        """
        require_writable(self._project)
        try:
            await self.records.begin(jobs, earlier)
        except AlreadyExists as taken:
            if taken.code_reason != "REQUEST_ID_TAKEN":
                raise
            # The same request, sent twice at the same time.
            return self._started_meanwhile(jobs[0])
        outcomes = await asyncio.gather(*map(self._start, jobs), return_exceptions=True)
        started = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                await self._call_off(started)
                raise outcome
        return started

    def _started_meanwhile(self, job: Job) -> list[Job]:
        """Returns the jobs that the same request has started; raises Aborted if there are none."""
        request_id = str(job.request_id)
        found = list(self.started_by(RequestKey(request_id, str(job.request_digest))))
        if not found:
            raise Aborted(
                f"request_id: {request_id!r} was sent twice at the same time, and the workspace "
                "refused the first one; send it again",
                reason="STARTED_TWICE_AT_ONCE",
            )
        return found

    async def _start(self, job: Job) -> Job:
        try:
            # The job is recorded, and its start continues even if the caller disconnects.
            await asyncio.shield(self._carry(job.id))
        except Refusal as refusal:
            if not job.request_id:
                await self._give_up(job, refusal)
            self._wake()
            if isinstance(refusal, _ABOUT_THE_STUDIO):
                raise FailedPrecondition(
                    refusal.message,
                    violations=refusal.violations,
                    reason=refusal.code_reason,
                    **refusal.metadata,
                ) from refusal
            raise
        self._wake()
        accepted = self.records.one(id=job.id)
        if accepted is None:
            await self._dispatcher.withdraw_named(job.id)
            raise Aborted(f"{self._kind} {job.id!r} was removed while it was being started")
        return accepted

    async def _carry(self, id: str) -> None:
        def unsent(error: BaseException) -> bool:
            job = self.records.one(id=id)
            return isinstance(error, Unavailable) and job is not None and job.sent_at is None

        async for attempt in AsyncRetrying(
            retry=retry_if_exception(unsent),
            stop=stop_after_delay(self._patience),
            wait=_AGAIN,
            reraise=True,
        ):
            with attempt:
                await self._dispatcher.carry(id)

    async def _call_off(self, jobs: Sequence[Job]) -> None:
        """Ends jobs of a request that fails, since its caller cannot find them."""
        for job in jobs:
            if not job.request_id:
                cause = "another job of the same request was not started"
                await self.records.move(job.id, JobState.STOPPING, cause=cause)
        self._wake()

    async def _give_up(self, job: Job, refusal: Refusal) -> None:
        await self.records.move(
            job.id,
            JobState.FAILED,
            cause=refusal.message,
            actor=WORKSPACE,
            failure_reason=refusal.message,
            failure_kind=FailureKind.REFUSED,
        )

    async def cancel(self, id: str, reason: str) -> Job:
        """Marks a job as stopping and returns it; one that has ended does not change.

        The reconciler then ends it, even if the workspace does not answer now.
        """
        self.get(id)
        if await self.records.move(id, JobState.STOPPING, cause=reason, actor=USER):
            self._wake()
        job = self.get(id)
        if job.state == JobState.STOPPING and job.cml_job_id and job.run_id:
            with suppress(Refusal):
                await self._workspace.stop_run(job.cml_job_id, job.run_id)
        return job

    async def resume(self, id: str) -> Job:
        """Begins another attempt at a job that has ended without success.

        It stays queued while the workspace does not answer. Raises FailedPrecondition for a job in
        another state, AlreadyExists for one that conflicts with another job by now.
        """
        job = self.get(id)
        if job.imported:
            raise self._not_resumable(id, "was imported")
        if not await self.records.queue_again(job, cause="resumed", actor=USER):
            raise self._not_resumable(id, f"is {self.get(id).state}")
        with suppress(*UNDECIDED):
            await asyncio.shield(self._dispatcher.carry(id))
        self._wake()
        return self.get(id)

    def _not_resumable(self, id: str, why: str) -> FailedPrecondition:
        return FailedPrecondition.at(
            "id",
            RESUMABLE,
            f"{self._kind} {id!r} {why} and cannot be resumed",
            reason="NOT_RESUMABLE",
        )

    async def remove(self, id: str) -> None:
        """Removes a job from the workspace and from the studio; an unknown id is fine.

        An imported job is removed from the studio only: it may run in another studio.
        """
        job = self.records.one(id=id)
        if job is None:
            return
        await self.records.move(id, JobState.STOPPING, cause="removed", actor=USER)
        if not job.imported:
            # By name: the workspace may have a job whose start was interrupted.
            await self._dispatcher.withdraw_named(id)
        await self.records.forget(id)
        self._wake()

    def tail(self, id: str, offset: int, follow: bool) -> AsyncIterator[TailLogsResponse]:
        """Streams the job's log, see `jobs.execution.tail`."""
        log = self.file(self.get_any(id), LOG_FILE)
        return tail(log, offset, follow, lambda: self._ended(id))

    def file(self, job: Job, name: str) -> Path:
        """Returns the path of a file in the job's folder.

        Raises FailedPrecondition if it is outside the project directory, as in an imported record.
        """
        file = (self._project / job.folder() / name).resolve()
        if not file.is_relative_to(self._project.resolve()):
            raise FailedPrecondition(
                f"the folder of job {job.id!r} lies outside the project directory"
            )
        return file

    def _ended(self, id: str) -> bool:
        job = self.records.one(id=id)
        return job is None or JobState(job.state).ended
