"""Reads what a job has written into its own folder: events, claim and log."""

import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ft.job_protocol.events import JobEvent, parse_lines
from ft.job_protocol.files import CLAIM_RUN, EVENTS_FILE, LOG_FILE, claim_file

_CLAIM_BYTES = 1_000
_TAIL_BYTES = 16_384
_LINE = 300
_TRACEBACK = "Traceback (most recent call last)"
MAX_READ_BYTES = 4 * 1024 * 1024
MAX_SENTENCE = 2_000
MAX_NOTICES = 50
MORE_NOTICES = f"There are more notices than these {MAX_NOTICES}; the job's log has all of them."


class EventReader:
    """Reads the events of a job from an offset, and later from where it stopped."""

    def __init__(self, folder: Path, offset: int = 0) -> None:
        self._file = folder / EVENTS_FILE
        self.offset = offset
        self.behind = False
        """Whether the file had more than the last call has read."""

    def new(self, attempt: int = 1) -> Iterator[JobEvent]:
        """The next events of an attempt since the last call, some MiB at most.

        A line that is still being written waits for the next call.
        """
        self.behind = False
        try:
            with open_regular(self._file) as file:
                file.seek(self.offset)
                content = file.read(MAX_READ_BYTES)
        except OSError:
            return
        complete = content.rfind(b"\n") + 1
        self.behind = len(content) == MAX_READ_BYTES
        if self.behind and not complete:
            complete = len(content)  # of a line too long to be an event; its rest is none either
        self.offset += complete
        yield from parse_lines(content[:complete], attempt)


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Opens a file of a job for reading.

    Raises OSError if it cannot be opened or is not a regular file: opening a pipe waits for a
    writer, and a device has no end.
    """
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise FileNotFoundError(f"{path} is not a regular file")
        yield file


def sentence(value: Any) -> str:
    """A text from a job, cut to the length that records and lists allow."""
    text = str(value).replace("\0", "")
    return text if len(text) <= MAX_SENTENCE else text[: MAX_SENTENCE - 1] + "…"


def with_notice(notices: list[str], told: Any) -> list[str]:
    """The notices with one more, unless they contain it. If there are too many, the last one says
    so."""
    notice = sentence(told)
    if notice in notices or len(notices) > MAX_NOTICES:
        return notices
    return [*notices, notice if len(notices) < MAX_NOTICES else MORE_NOTICES]


def claimed_by(folder: Path, attempt: int) -> str:
    """The id of the run that has claimed the job; empty if none has."""
    try:
        with open_regular(folder / claim_file(attempt)) as file:
            claim = json.loads(file.read(_CLAIM_BYTES))
    except (OSError, ValueError, RecursionError):
        return ""
    return str(claim.get(CLAIM_RUN) or "") if isinstance(claim, dict) else ""


def last_lines(folder: Path, most: int = 5) -> list[str]:
    """The last lines of the job's log, cut where they are long, without empty lines and without the
    frames of a traceback."""
    try:
        with open_regular(folder / LOG_FILE) as file:
            file.seek(max(file.seek(0, 2) - _TAIL_BYTES, 0))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return []
    return [line.strip()[:_LINE] for line in _without_frames(lines)][-most:]


def _without_frames(lines: Iterable[str]) -> Iterator[str]:
    within = False
    for line in lines:
        if line.startswith(_TRACEBACK):
            within = True
        elif line.strip() and not (within and line[0].isspace()):
            within = False
            yield line
