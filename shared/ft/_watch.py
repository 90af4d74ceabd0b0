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
"""Seconds to wait for a studio that cannot be reached. The job continues meanwhile."""
_LEAST_SECONDS = 1.0
"""Shortest deadline of a request, however little time is left."""
_AWAY = (errors.UnavailableError, errors.DeadlineExceededError, errors.CallCancelledError)
_ENDED = frozenset(state for state in JobState if state.ended)
_GET = {
    FineTuningJobMetadata: ("GetFineTuningJob", GetFineTuningJobRequest, "fine_tuning_job"),
    EvaluationJobMetadata: ("GetEvaluationJob", GetEvaluationJobRequest, "evaluation_job"),
    ExportJobMetadata: ("GetExportJob", GetExportJobRequest, "export_job"),
}


def ended(status: JobStatus) -> bool:
    """True if the job will not change any more."""
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


class JobPoller:
    """Asks for one job again and again, `poll` seconds apart, for `timeout` seconds at most."""

    def __init__(
        self, calls: Calls, job_id: str, poll: float, timeout: float | None = None
    ) -> None:
        self.ended = False
        self._calls = calls
        self._job_id = job_id
        self._interval = poll
        self._timeout = math.inf if timeout is None else timeout
        self._deadline = time.monotonic() + self._timeout
        self._due: float | None = None
        self._kinds = tuple[type[Job], ...](_GET)
        self._seen = "not seen yet"

    async def poll(self) -> Job:
        """Asks for the job as soon as the next request is due.

        Raises TimeoutError if there is no time left, UnimplementedError if the studio keeps no
        states of jobs, and the errors of GetFineTuningJob. A studio that cannot be reached is an
        error only after AWAY_SECONDS.
        """
        job = await self._fetch()
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

    async def _fetch(self) -> Job:
        patience = math.inf
        while True:
            now = time.monotonic()
            if self._due is not None:
                await self._calls.io.pause(min(self._due, self._deadline) - now)
                if self._deadline <= max(self._due, now):
                    raise TimeoutError(
                        f"job {self._job_id} has not ended within {self._timeout} s: it is "
                        f"{self._seen}"
                    )
            now = time.monotonic()
            self._due = now + self._interval
            patience = min(patience, now + AWAY_SECONDS)
            seconds = min(self._calls.timeout, max(self._deadline - now, _LEAST_SECONDS))
            try:
                return await get_job(self._calls, self._job_id, seconds, self._kinds)
            except _AWAY as error:
                if error.reason == errors.CLOSED or time.monotonic() > patience:
                    raise


async def wait_for_job(poller: JobPoller, raise_on_failure: bool) -> Job:
    """Waits until the job has ended. Raises JobFailedError if it has not SUCCEEDED and
    `raise_on_failure` is set."""
    job = await poller.poll()
    while not poller.ended:
        job = await poller.poll()
    if raise_on_failure and job.status.state != JobState.SUCCEEDED:
        raise errors.JobFailedError(job)
    return job
