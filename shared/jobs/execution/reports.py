"""What a job has written about itself into its own folder."""

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

EVENTS_FILE = "events.jsonl"
LOG_FILE = "job.log"
CLAIM_FILE = "claim-{attempt}.json"
_CLAIM_BYTES = 1_000
_TAIL_BYTES = 16_384
_LINE = 300
_TRACEBACK = "Traceback (most recent call last)"
_LARGEST = 1e300
MAX_READ_BYTES = 4 * 1024 * 1024
MAX_SENTENCE = 2_000
MAX_NOTICES = 50
MORE_NOTICES = f"There are more notices than these {MAX_NOTICES}; the job's log has all of them."


class EventReader:
    """Reads a job's events from an offset on, then from where it stopped the last time."""

    def __init__(self, folder: Path, offset: int = 0) -> None:
        self._file = folder / EVENTS_FILE
        self.offset = offset
        self.behind = False
        """Whether the last call found more than it read."""

    def new(self, attempt: int = 1) -> Iterator[Mapping[str, Any]]:
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
        yield from events_in(content[:complete], attempt)


def events_in(lines: bytes, attempt: int) -> Iterator[Mapping[str, Any]]:
    """The events of an attempt among these lines; what is none is left out."""
    for line in lines.splitlines():
        try:
            event = json.loads(line)
            # An escaped half of a surrogate pair is text that neither stores nor answers take.
            json.dumps(event, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and event.get("attempt", 1) == attempt:
            yield event


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Opens a file of a job's for reading.

    Raises OSError, for what is no regular file as well: to open a pipe waits for a writer, and a
    device has no end.
    """
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise FileNotFoundError(f"{path} is not a regular file")
        yield file


def sentence(value: Any) -> str:
    """What a job says, as far as a record takes it: lists carry it, and have a limit."""
    text = str(value).replace("\0", "")
    return text if len(text) <= MAX_SENTENCE else text[: MAX_SENTENCE - 1] + "…"


def with_notice(notices: list[str], told: Any) -> list[str]:
    """The notices with one more, unless it is among them; behind the last that a record takes it
    says that there are more."""
    notice = sentence(told)
    if notice in notices or len(notices) > MAX_NOTICES:
        return notices
    return [*notices, notice if len(notices) < MAX_NOTICES else MORE_NOTICES]


def is_count(value: Any) -> bool:
    """Whether a reported value fits a count of the contract, 32 bits wide."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def is_number(value: Any) -> bool:
    """Whether a reported value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST


def claimed_by(folder: Path, attempt: int) -> str:
    """The run that works on the job, as it says itself; empty if none has said so."""
    try:
        with open_regular(folder / CLAIM_FILE.format(attempt=attempt)) as file:
            claim = json.loads(file.read(_CLAIM_BYTES))
    except (OSError, ValueError, RecursionError):
        return ""
    return str(claim.get("run") or "") if isinstance(claim, dict) else ""


def last_lines(folder: Path, most: int = 5) -> list[str]:
    """The last lines of the job's log that matter, cut where they are long: not blank, and of a
    traceback what it says in the end."""
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
