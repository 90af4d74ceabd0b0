"""A job from its record to its end, the same for every kind."""

from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from chassis import rules
from chassis.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    NotFound,
    PermissionDenied,
    Refusal,
    Unauthenticated,
)
from ft.enums import JobState
from ft.proto.fine_tuning_studio_jobs_pb2 import TailLogsResponse
from jobs.dispatch import JobSpec, dispatch, withdraw
from jobs.records import JobRecord, JobRecords
from jobs.tail import tail
from jobs.workspace import Workspace

Job = TypeVar("Job", bound=JobRecord)

_ABOUT_THE_STUDIO = (AlreadyExists, NotFound, PermissionDenied, Unauthenticated)
"""What the workspace says of the studio's own call would mislead as an answer to the client."""


class JobLifecycle(Generic[Job]):
    """Starts, finds, shows and removes the jobs of one kind.

    `kind` is what messages call them; `started` is called after each start.
    """

    def __init__(
        self,
        kind: str,
        records: JobRecords[Job],
        workspace: Workspace,
        project: Path,
        started: Callable[[], None],
    ) -> None:
        self.records = records
        self._kind = kind
        self._workspace = workspace
        self._project = project
        self._started = started

    def get(self, id: str) -> Job:
        """The job with that id. Raises NotFound."""
        job = self.records.one(id=id)
        if job is None:
            raise NotFound(
                f"{self._kind} {id!r} does not exist",
                resource=self._kind,
                id=id,
                rule=rules.EXISTS.id,
            )
        return job

    async def start(self, job: Job, spec: JobSpec, unique: Iterable[str] = ()) -> Job:
        """Records the job, then brings it into the workspace; returns once it is accepted there.

        Where the workspace refuses, the record says why.
        """
        await self.records.add(job, unique)
        try:
            dispatched = await dispatch(self._workspace, spec)
        except Refusal as refusal:
            await self.records.change(job.id, state=JobState.FAILED, failure_reason=refusal.message)
            if isinstance(refusal, _ABOUT_THE_STUDIO):
                raise FailedPrecondition(
                    refusal.message,
                    violations=refusal.violations,
                    reason=refusal.code_reason,
                    **refusal.metadata,
                ) from refusal
            raise
        await self.records.change(
            job.id,
            state=JobState.SCHEDULED,
            cml_job_id=dispatched.cml_job_id,
            run_id=dispatched.run_id,
        )
        accepted = self.records.one(id=job.id)
        if accepted is None:
            # Nobody would ever end what runs now.
            await withdraw(self._workspace, dispatched.cml_job_id, dispatched.run_id, ended=False)
            raise Aborted(f"{self._kind} {job.id!r} was removed while it was being started")
        self._started()
        return accepted

    async def remove(self, id: str) -> None:
        """Takes the job out of the workspace and forgets it; an unknown id is fine."""
        job = self.records.one(id=id)
        if job is None:
            return
        ended = JobState(job.state).ended
        cml_job_id = job.cml_job_id
        if not cml_job_id and not ended:
            # Its start was cut off, or is under way: the workspace may have it all the same.
            found = await self._workspace.find_job(id)
            cml_job_id = found.id if found else None
        if cml_job_id:
            await withdraw(self._workspace, cml_job_id, job.run_id or "", ended)
        await self.records.remove(id=id)

    def tail(self, id: str, offset: int, follow: bool) -> AsyncIterator[TailLogsResponse]:
        """The job's log, see `jobs.tail`."""
        job = self.records.one(id=id)
        if job is None:
            # Says nothing of the kind: the facade asks one domain after the other.
            raise NotFound(
                f"job {id!r} does not exist", resource="job", id=id, rule=rules.EXISTS.id
            )
        folder = (self._project / job.folder()).resolve()
        if not folder.is_relative_to(self._project.resolve()):
            # An imported record may say anything.
            raise FailedPrecondition(f"the folder of job {id!r} lies outside the project directory")
        return tail(folder, offset, follow, lambda: self._ended(id))

    def _ended(self, id: str) -> bool:
        job = self.records.one(id=id)
        return job is None or JobState(job.state).ended
