"""What a job has written about itself into its own folder."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

EVENTS_FILE = "events.jsonl"
LOG_FILE = "job.log"
_TAIL_BYTES = 16_384
_LARGEST = 1e300


class EventReader:
    """Reads a job's events from where it stopped the last time."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / EVENTS_FILE
        self._offset = 0

    def new(self) -> Iterator[Mapping[str, Any]]:
        """Events since the last call. A line that is still being written waits for the next."""
        try:
            with self._file.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except OSError:
            return
        complete = content.rfind(b"\n") + 1
        self._offset += complete
        for line in content[:complete].splitlines():
            try:
                event = json.loads(line)
                # An escaped half of a surrogate pair is text that neither stores nor answers take.
                json.dumps(event, ensure_ascii=False).encode()
            except (ValueError, RecursionError):
                continue
            if isinstance(event, dict):
                yield event


def is_count(value: Any) -> bool:
    """Whether a reported value fits a count of the contract, 32 bits wide."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def is_number(value: Any) -> bool:
    """Whether a reported value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST


def last_line(folder: Path) -> str:
    """The last line of the job's log that is not blank; empty if there is none."""
    try:
        with (folder / LOG_FILE).open("rb") as file:
            file.seek(max(file.seek(0, 2) - _TAIL_BYTES, 0))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
