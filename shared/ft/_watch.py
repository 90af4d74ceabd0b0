"""Watching one job until it has ended."""

# ruff: noqa: ASYNC109  # A deadline travels with the call, to be kept by every hop.

import math
import time
from collections.abc import Iterable

import grpc

from ft import errors
from ft._calls import Calls
from ft.enums import JobState
from ft.proto.fine_tuning_studio_jobs_pb2 import ExportJobMetadata, GetExportJobRequest
from ft.proto.fine_tuning_studio_pb2 import (
    EvaluationJobMetadata,
    FineTuningJobMetadata,
    GetEvaluationJobRequest,
    GetFineTuningJobRequest,
)
from ft.proto.fine_tuning_studio_types_pb2 import JobStatus

Job = FineTuningJobMetadata | EvaluationJobMetadata | ExportJobMetadata

POLL_SECONDS = 1.0
AWAY_SECONDS = 60.0
"""How long a studio that is away is waited for: the job goes on meanwhile."""
_LOOK_SECONDS = 1.0
"""What a look may take at the least, however little time is left."""
_AWAY = (errors.UnavailableError, errors.DeadlineExceededError, errors.CallCancelledError)
_ENDED = frozenset(state for state in JobState if state.ended)
_GET = {
    FineTuningJobMetadata: ("GetFineTuningJob", GetFineTuningJobRequest, "fine_tuning_job"),
    EvaluationJobMetadata: ("GetEvaluationJob", GetEvaluationJobRequest, "evaluation_job"),
    ExportJobMetadata: ("GetExportJob", GetExportJobRequest, "export_job"),
}


def ended(status: JobStatus) -> bool:
    """Whether the job will not change any more."""
    # The state is a text: a newer studio's may be none of ours.
    return status.state in _ENDED


async def get_job(
    calls: Calls,
    job_id: str,
    timeout: float | None = None,
    kinds: Iterable[type[Job]] = tuple(_GET),
) -> Job:
    """The job with that id, of any kind. Raises NotFoundError if there is none."""
    for kind in kinds:
        name, request, field = _GET[kind]
        try:
            response = await calls.unary(name, request(id=job_id), timeout)
        except (errors.NotFoundError, errors.UnimplementedError):
            # A studio of an earlier version has no jobs of the later kinds.
            continue
        job: Job = getattr(response, field)
        return job
    raise errors.NotFoundError(f"no job has the id {job_id!r}", code=grpc.StatusCode.NOT_FOUND)


class Watch:
    """Looks at one job again and again, `poll` seconds apart, for `timeout` seconds at most."""

    def __init__(
        self, calls: Calls, job_id: str, poll: float, timeout: float | None = None
    ) -> None:
        self.ended = False
        self._calls = calls
        self._job_id = job_id
        self._poll = poll
        self._timeout = math.inf if timeout is None else timeout
        self._deadline = time.monotonic() + self._timeout
        self._due: float | None = None
        self._kinds = tuple[type[Job], ...](_GET)
        self._seen = "not seen yet"

    async def look(self) -> Job:
        """The job, as soon as the next look at it is due.

        Raises TimeoutError when there is no time left for one, UnimplementedError if the studio
        keeps no states of jobs, and what GetFineTuningJob raises. Being away counts only when it
        lasts.
        """
        job = await self._patiently()
        if not job.status.state:
            raise errors.UnimplementedError(
                f"the studio at {self._calls.address} keeps no states of jobs: whether job "
                f"{self._job_id} has ended is unknown",
                code=grpc.StatusCode.UNIMPLEMENTED,
            )
        self._seen = job.status.state
        self._kinds = (type(job),)
        self.ended = ended(job.status)
        return job

    async def _patiently(self) -> Job:
        patience = math.inf
        while True:
            await self._until_due()
            patience = min(patience, time.monotonic() + AWAY_SECONDS)
            try:
                return await get_job(self._calls, self._job_id, self._seconds(), self._kinds)
            except _AWAY as error:
                if error.reason == errors.CLOSED or time.monotonic() > patience:
                    raise

    async def _until_due(self) -> None:
        now = time.monotonic()
        if self._due is not None:
            await self._calls.io.pause(min(self._due, self._deadline) - now)
            if self._deadline <= max(self._due, now):
                raise TimeoutError(
                    f"job {self._job_id} has not ended within {self._timeout} s: it is {self._seen}"
                )
        self._due = time.monotonic() + self._poll

    def _seconds(self) -> float:
        left = self._deadline - time.monotonic()
        return min(self._calls.timeout, max(left, _LOOK_SECONDS))


async def wait_for_job(watch: Watch, raise_on_failure: bool) -> Job:
    """The job as it ended. Raises JobFailedError unless it SUCCEEDED or that is not wanted."""
    job = await watch.look()
    while not watch.ended:
        job = await watch.look()
    if raise_on_failure and job.status.state != JobState.SUCCEEDED:
        raise errors.JobFailedError(job)
    return job
