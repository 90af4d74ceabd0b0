"""Notices of the workers that do not speak for the job: what the first has not told as well."""

import time
from collections import defaultdict

from ft.job_protocol.events import NoticeGiven, parse_lines
from trainer.job.events import EventLog
from trainer.workers.outcome import WorkerFiles

WAIT_SECONDS = 20.0
"""How long the first worker, which may be slower, has to tell the same."""
MOST_NOTICES = 20
"""What is more is in the workers' logs alone."""


class NoticeCollector:
    """Tells such notices, each once, with the workers that have it."""

    def __init__(self, events: EventLog, files: WorkerFiles, workers: int) -> None:
        self._events = events
        self._files = files
        self._ranks = range(1, workers)
        self._before = len(_told(events))
        """Notices of earlier attempts, and of the job's own process before its workers began."""
        self._since: dict[str, float] = {}
        self._done: set[str] = set()
        self._count = 0

    def tell(self, *, over: bool = False) -> None:
        """Tells those that have waited for the first worker, or all if the work is `over`."""
        found = defaultdict[str, list[int]](list)
        for rank in self._ranks:
            for message in dict.fromkeys(self._files.read_notices(rank)):
                found[message].append(rank)
        now = time.monotonic()
        ripe = [
            message
            for message in found
            if message not in self._done
            and (now - self._since.setdefault(message, now) >= WAIT_SECONDS or over)
        ]
        if not ripe:
            return
        told = set(_told(self._events)[self._before :])
        for message in ripe:
            self._done.add(message)
            if message not in told:
                self._tell(found[message], message)

    def _tell(self, ranks: list[int], message: str) -> None:
        self._count += 1
        if self._count > MOST_NOTICES:
            return
        named = ", ".join(map(str, ranks))
        self._events.notice(f"Worker{'s' * (len(ranks) > 1)} {named}: {message}")
        if self._count == MOST_NOTICES:
            self._events.notice("Further notices of the workers are in their logs alone.")


def _told(events: EventLog) -> list[str]:
    """The notices in the job's file of events."""
    found = parse_lines(events.path.read_bytes())
    return [event.message for event in found if isinstance(event, NoticeGiven)]
