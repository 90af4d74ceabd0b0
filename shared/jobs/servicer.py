"""RPCs that all domains with jobs implement in the same way."""

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from ft.proto.fine_tuning_studio_jobs_pb2 import (
    ListJobEventsRequest,
    ListJobEventsResponse,
    ReportJobEventsRequest,
    ReportJobEventsResponse,
    TailLogsRequest,
    TailLogsResponse,
    WatchJobRequest,
    WatchJobResponse,
)
from jobs.execution.report_receiver import ReportReceiver
from jobs.lifecycle import JobLifecycle
from jobs.store.job_record import JobRecord

Job = TypeVar("Job", bound=JobRecord)


class JobServicer(Generic[Job]):
    """Serves events, logs and reports of jobs."""

    def __init__(self, lifecycle: JobLifecycle[Job], receiver: ReportReceiver[Job]) -> None:
        self._lifecycle = lifecycle
        self._receiver = receiver

    def WatchJob(self, request: WatchJobRequest) -> AsyncIterator[WatchJobResponse]:
        """Streams the events of a job after a cursor."""
        return self._lifecycle.events.follow(request.job_id, request.cursor)

    async def ListJobEvents(self, request: ListJobEventsRequest) -> ListJobEventsResponse:
        """Returns the events of a job after a cursor."""
        events = self._lifecycle.events.list(request.job_id, request.cursor, request.page_size)
        return ListJobEventsResponse(events=events)

    def TailLogs(self, request: TailLogsRequest) -> AsyncIterator[TailLogsResponse]:
        """Streams a job's log from an offset."""
        return self._lifecycle.tail(request.job_id, request.offset, request.follow)

    async def ReportJobEvents(self, request: ReportJobEventsRequest) -> ReportJobEventsResponse:
        """Accepts a job's report, and returns the offset up to which its events are recorded."""
        known = await self._receiver.report(
            request.job_id, request.token, request.offset, request.data
        )
        return ReportJobEventsResponse(next_offset=known)
