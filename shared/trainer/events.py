"""What a job tells about itself: one JSON object a line in `events.jsonl` of its folder."""

import json
import logging
import math
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_HALF_PAIR = re.compile("[\ud800-\udfff]")
EVENTS_FILE = "events.jsonl"


class EventLog:
    """Appends events. Each one is a whole line in the file as soon as the call returns.

    `written` is called after each.
    """

    def __init__(
        self, folder: Path, attempt: int = 1, written: Callable[[], None] = lambda: None
    ) -> None:
        self._attempt = attempt
        self._written = written
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / EVENTS_FILE
        self._file = self.path.open("a", encoding="utf-8", buffering=1)

    def write(self, event: str, **fields: Any) -> None:
        """Fields that are None are left out; a number that JSON has no word for is left out too."""
        shown = {name: value for name, value in fields.items() if _can_be_written(value)}
        line = {
            "time": datetime.now(UTC).isoformat(),
            "attempt": self._attempt,
            "event": event,
            **shown,
        }
        # One write call for the whole line: readers never see a part of it.
        # Half of a surrogate pair, from a file's name that is not UTF-8, has no place in a text.
        text = json.dumps(line, ensure_ascii=False)
        text = _HALF_PAIR.sub(lambda half: f"\\\\u{ord(half[0]):04x}", text)
        try:
            self._file.write(text + "\n")
            self._file.flush()
        except OSError as error:
            # On a disk that is full: an event is no reason to end the work.
            logger.warning("Event %s is not written: %s", event, error.strerror or error)
        self._written()

    def touched(self) -> None:
        """Another process of the job may have written into the file."""
        self._written()

    def notice(self, message: str) -> None:
        """Tells the user what was done other than asked, here and in the log."""
        logger.warning(message)
        self.write("notice", message=message)


class WorkerNotices(EventLog):
    """Of a process that another one speaks for: of its events the notices alone are kept, in a file
    that the job's own process reads."""

    def __init__(self, file: Path) -> None:
        self._path = file

    def write(self, event: str, **fields: Any) -> None:
        """Keeps a notice, unless there is no room for it: it is in the worker's log too."""
        if event != "notice":
            return
        with suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(fields["message"]) + "\n")


def _can_be_written(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))
