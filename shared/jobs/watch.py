"""Lists and streams the events of jobs."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from chassis.rpc.errors import InvalidArgument
from ft.proto.fine_tuning_studio_jobs_pb2 import JobEvent, WatchJobResponse
from jobs import rules
from jobs.store.feeds import HEARTBEAT_SECONDS
from jobs.store.job_record import JobRecord
from jobs.store.records import JobRecords

Job = TypeVar("Job", bound=JobRecord)
PAGE = 1000
"""Most events of a list."""


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

        Empty responses in between show that the stream is alive. No event is missed or repeated,
        whichever process wrote it and however often the client reconnects.
        """
        _require_not_negative("cursor", cursor)
        sent_at = time.monotonic()
        while True:
            self._get(id)
            with self._records.feeds.watched(id) as feed:
                while not feed.broken:
                    while responses := feed.after(cursor):
                        for response in responses:
                            yield response
                            cursor = response.event.cursor
                        sent_at = time.monotonic()
                    if feed.ended:
                        return
                    left = sent_at + HEARTBEAT_SECONDS - time.monotonic()
                    if left <= 0:
                        sent_at = time.monotonic()
                        yield WatchJobResponse()
                    else:
                        await feed.changed(left)


def _require_not_negative(field: str, value: int) -> None:
    if value < 0:
        raise InvalidArgument.at(field, rules.OFFSET, f"must not be negative, not {value}")
