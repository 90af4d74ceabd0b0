"""Writes a job's events into the file in its folder that `ft.job_protocol` describes.

No event is lost on a full disk: what cannot be written is kept in memory and written with the next
event. A job that ends before that has failed.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from ft.job_protocol.events import JobEvent, NoticeGiven, to_line
from ft.job_protocol.files import EVENTS_FILE
from trainer.errors import EventsError

logger = logging.getLogger(__name__)

RESERVE_FILE = ".events-reserve"
"""In the job's folder: room on the disk for the last events."""
RESERVE_BYTES = 64 * 1024
MAX_KEPT_BYTES = 8 * 1024 * 1024
"""Most bytes of events that are kept in memory while they cannot be written."""
LAST_SECONDS = 10.0
"""Most seconds that the end of a job waits for room on the disk."""
_PAUSE_SECONDS = 0.5


class EventLog:
    """Appends events. Each one is a whole line in the file as soon as the call returns.

    `written` is called after each. With `reserve` the file keeps some room for the end of the job,
    which `close` gives back.
    """

    def __init__(
        self,
        folder: Path,
        attempt: int = 1,
        written: Callable[[], None] = lambda: None,
        reserve: bool = False,
    ) -> None:
        self._kept = b""
        """What could not be written yet."""
        self._attempt = attempt
        self._written = written
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / EVENTS_FILE
        self._file = self.path.open("ab", buffering=0)
        self._reserve = folder / RESERVE_FILE
        if reserve:
            try:
                with self._reserve.open("wb") as file:
                    os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
            except OSError as error:
                self._reserve.unlink(missing_ok=True)
                logger.warning("There is no room for the end of the events: %s", _why(error))

    def write(self, event: JobEvent) -> None:
        """Appends the event.

        Raises EventsError if more than can be kept in memory waits for room on the disk.
        """
        waiting = bool(self._kept)
        # One write call for the whole line: readers never see a part of it.
        self._kept += to_line(event, self._attempt, datetime.now(UTC))
        if (error := self._write_kept()) is not None:
            if not waiting:
                logger.warning("Events are not written, and tried again: %s", _why(error))
            if len(self._kept) > MAX_KEPT_BYTES:
                raise EventsError(self._lost(error)) from error
        self._written()

    def close(self, seconds: float = LAST_SECONDS) -> None:
        """Returns once all events are in the file. Raises EventsError if they are not in time."""
        deadline = time.monotonic() + seconds
        while (error := self._write_kept()) is not None:
            if time.monotonic() >= deadline:
                raise EventsError(self._lost(error)) from error
            time.sleep(_PAUSE_SECONDS)
        self._reserve.unlink(missing_ok=True)

    def _write_kept(self) -> OSError | None:
        """Writes what is kept, as far as there is room. Returns the error that left some of it."""
        try:
            while self._kept:
                self._kept = self._kept[self._file.write(self._kept) :]
        except OSError as error:
            if self._reserve.exists():
                self._reserve.unlink()
                return self._write_kept()
            return error
        return None

    def _lost(self, error: OSError) -> str:
        lines = self._kept.count(b"\n")
        return (
            f"{lines} events of the job cannot be written into {self.path}: {_why(error)}. Make "
            "room there, and resume the job."
        )

    def touched(self) -> None:
        """Has new lines reported that another process of the job may have written."""
        self._written()

    def notice(self, message: str) -> None:
        """Writes what was done other than requested, here and into the log."""
        logger.warning(message)
        self.write(NoticeGiven(message=message))


class WorkerNotices(EventLog):
    """Notices of a worker, in a file that the job's own process reads. It keeps no other event."""

    def __init__(self, file: Path) -> None:
        self._path = file

    def write(self, event: JobEvent) -> None:
        """Keeps a notice, unless there is no room for it: it is in the worker's log too."""
        if not isinstance(event, NoticeGiven):
            return
        with suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event.message) + "\n")

    def close(self, seconds: float = LAST_SECONDS) -> None:
        """There is nothing to be written."""


def _why(error: OSError) -> str:
    return error.strerror or str(error)
