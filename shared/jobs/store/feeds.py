"""New events of the jobs that are watched. They are read once for all watchers of a job."""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from chassis.rpc.errors import Refusal
from ft.enums import JobState
from ft.proto.fine_tuning_studio_jobs_pb2 import WatchJobResponse
from jobs.store.event_log import JobEventLog
from jobs.store.history import JobEventRecord

PAGE = 200
"""Most events that are read at once: more of them would hold up other calls."""
KEPT = 400
"""Most events that a feed keeps. A watcher that is further behind reads the history."""
WOKEN_AT_ONCE = 50
"""Most watchers that go on before other calls get their turn."""
POLL_SECONDS = 0.25
"""Pause between reads of events where other processes may write them as well."""
HEARTBEAT_SECONDS = 10.0
"""Time after which a watch shows that it is alive, and a feed reads without a cause."""


class EventFeed:
    """The newest events of one job, for all who watch it.

    It has no queue for any of them: each one asks for what comes after its own position, so a slow
    watcher costs nothing and holds up no other.
    """

    def __init__(
        self, id: str, log: JobEventLog, state: Callable[[str], JobState | None], pause: float
    ) -> None:
        self._id = id
        self._log = log
        self._state = state
        self._pause = pause
        self.watchers = 0
        self.broken = False
        """True if the job is gone or the store does not answer. Its watchers have to ask anew."""
        found = state(id)
        self.ended = found is None or found.ended
        """True if the job has ended and the feed has all its events."""
        self._start = self._read_to = log.last(id)
        """The feed has the events after the one and up to the other, by their cursors."""
        self._cursors: list[int] = []
        self._responses: list[WatchJobResponse] = []
        self._waiting: set[asyncio.Future[None]] = set()
        """Watchers that wait for something new."""
        self._timer: asyncio.TimerHandle | None = None
        self._reading: asyncio.Handle | None = None
        self._read_later()

    def after(self, cursor: int) -> list[WatchJobResponse]:
        """Returns events after the cursor, oldest first; none if the watcher has them all."""
        if cursor < self._start:
            return [_response(event) for event in self._log.events(self._id, cursor, PAGE)]
        return self._responses[bisect_right(self._cursors, cursor) :]

    async def changed(self, seconds: float) -> None:
        """Returns when there is something new, at the latest after `seconds`."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await waiting
        finally:
            self._waiting.discard(waiting)

    def read_soon(self) -> None:
        """Reads once, however often it is called before that."""
        if self._reading is None:
            self._reading = asyncio.get_running_loop().call_soon(self._read)

    def close(self) -> None:
        """Ends the reading."""
        for handle in (self._timer, self._reading):
            if handle is not None:
                handle.cancel()
        self._timer = self._reading = None

    def _read(self) -> None:
        self.close()
        self._read_later()
        try:
            # Checked before reading, so that all events before the end are read.
            state = self._state(self._id)
            events = self._log.events(self._id, self._read_to, PAGE)
        except Refusal:
            state = None
        if state is None:
            self.close()
            self.broken = True
            self._announce()
            return
        for event in events:
            self._cursors.append(event.seq)
            self._responses.append(_response(event))
            self._read_to = event.seq
        if (surplus := len(self._cursors) - KEPT) > 0:
            self._start = self._cursors[surplus - 1]
            del self._cursors[:surplus], self._responses[:surplus]
        more = len(events) == PAGE
        ended = state.ended and not more
        if events or ended != self.ended:
            self.ended = ended
            self._announce()
        if more:
            self.read_soon()

    def _announce(self) -> None:
        waiting, self._waiting = self._waiting, set()
        self._wake(list(waiting))

    def _wake(self, waiting: list["asyncio.Future[None]"]) -> None:
        for one in waiting[:WOKEN_AT_ONCE]:
            if not one.done():
                one.set_result(None)
        if left := waiting[WOKEN_AT_ONCE:]:
            asyncio.get_running_loop().call_soon(self._wake, left)

    def _read_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._read)


class EventFeeds:
    """The feeds of the jobs that somebody watches now.

    `state` finds the state of a job by its id; None if there is no such job.
    """

    def __init__(self, log: JobEventLog, state: Callable[[str], JobState | None]) -> None:
        self._log = log
        self._state = state
        self._feeds: dict[str, EventFeed] = {}

    @contextmanager
    def watched(self, id: str) -> Iterator[EventFeed]:
        """Provides the feed of a job, which reads for as long as somebody watches."""
        feed = self._feeds.get(id)
        if feed is None or feed.broken:
            alone = self._log.store.commits is not None
            pause = HEARTBEAT_SECONDS if alone else POLL_SECONDS
            feed = self._feeds[id] = EventFeed(id, self._log, self._state, pause)
        feed.watchers += 1
        try:
            yield feed
        finally:
            feed.watchers -= 1
            if not feed.watchers:
                feed.close()
                if self._feeds.get(id) is feed:
                    del self._feeds[id]

    def changed(self, id: str) -> None:
        """Makes the feed of a job read, if there is one: something was written about the job."""
        if (feed := self._feeds.get(id)) is not None:
            feed.read_soon()


def _response(event: JobEventRecord) -> WatchJobResponse:
    return WatchJobResponse(event=event.message())
