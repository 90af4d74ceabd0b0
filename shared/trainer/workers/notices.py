"""Notices of the workers other than the first, which reports its own."""

import time
from collections import defaultdict

from ft.job_protocol.events import NoticeGiven, parse_lines
from trainer.job.events import EventLog
from trainer.workers.outcome import WorkerFiles

WAIT_SECONDS = 20.0
"""Time in which the first worker, which may be slower, can report the same notice."""
MOST_NOTICES = 20
"""Maximum number of notices; further ones are in the workers' logs only."""


class NoticeCollector:
    """Reports such notices, each once, with the workers that have it."""

    def __init__(self, events: EventLog, files: WorkerFiles, workers: int) -> None:
        self._events = events
        self._files = files
        self._ranks = range(1, workers)
        self._before = len(_reported(events))
        """Notices of earlier attempts, and of the job's own process before its workers began."""
        self._since: dict[str, float] = {}
        self._done: set[str] = set()
        self._count = 0

    def report(self, *, over: bool = False) -> None:
        """Reports notices that have waited for the first worker, or all of them if the work is
        `over`."""
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
        reported = set(_reported(self._events)[self._before :])
        for message in ripe:
            self._done.add(message)
            if message in reported or self._count == MOST_NOTICES:
                continue
            self._count += 1
            ranks = found[message]
            named = ", ".join(map(str, ranks))
            self._events.notice(f"Worker{'s' * (len(ranks) > 1)} {named}: {message}")
            if self._count == MOST_NOTICES:
                self._events.notice("Further notices of the workers are in their logs alone.")


def _reported(events: EventLog) -> list[str]:
    """The notices in the job's file of events."""
    found = parse_lines(events.path.read_bytes())
    return [event.message for event in found if isinstance(event, NoticeGiven)]
