"""Lists and streams the events of jobs."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from chassis.rpc.errors import InvalidArgument
from ft.enums import JobState
from ft.proto.fine_tuning_studio_jobs_pb2 import JobEvent, WatchJobResponse
from jobs import rules
from jobs.store.job_record import JobRecord
from jobs.store.records import JobRecords

Job = TypeVar("Job", bound=JobRecord)
PAGE = 1000
POLL_SECONDS = 0.25
"""Pause between reads of events where other processes may write them as well."""
HEARTBEAT_SECONDS = 10.0
"""Time after which an empty response shows that the stream is alive."""


class JobWatch(Generic[Job]):
    """Lists and follows the events of jobs. `get` finds a job or raises NotFound."""

    def __init__(self, get: Callable[[str], Job], records: JobRecords[Job]) -> None:
        self._get = get
        self._records = records

    def list(self, id: str, cursor: int, page_size: int) -> list[JobEvent]:
        """Returns the events after the cursor, oldest first."""
        _require_not_negative("cursor", cursor)
        _require_not_negative("page_size", page_size)
        self._get(id)
        limit = min(page_size or PAGE, PAGE)
        return [event.message() for event in self._records.log.events(id, cursor, limit)]

    async def follow(self, id: str, cursor: int) -> AsyncIterator[WatchJobResponse]:
        """Yields the events after the cursor as they come, until the job has ended.

        Empty responses in between show that the stream is alive. Events are read from the store, so
        that none is missed or repeated, whichever process wrote it and however often the client
        reconnects.
        """
        _require_not_negative("cursor", cursor)
        told = time.monotonic()
        alone = self._records.store.commits is not None
        pause = HEARTBEAT_SECONDS if alone else POLL_SECONDS
        while True:
            # Checked before reading, so that all events before the end are read.
            ended = JobState(self._get(id).state).ended
            while events := self._records.log.events(id, cursor, PAGE):
                for event in events:
                    cursor = event.seq
                    yield WatchJobResponse(event=event.message())
                told = time.monotonic()
            if ended:
                return
            if time.monotonic() - told >= HEARTBEAT_SECONDS:
                told = time.monotonic()
                yield WatchJobResponse()
            await self._records.store.next_commit(pause)


def _require_not_negative(field: str, value: int) -> None:
    if value < 0:
        raise InvalidArgument.at(field, rules.OFFSET, f"must not be negative, not {value}")
