"""The folder of a run or deployment, as the workbench reads it.

It holds `output.log`, and a folder for each launch.
"""

import contextlib
import json
import os
import signal
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from services.workbench.engine import process_watcher


@dataclass(frozen=True)
class Ended:
    """The end of a run: outcome, exit code and time."""

    outcome: str
    exit_code: int | None
    at: datetime


class RunFolder:
    """The folder of one run, or deployment, and of one launch of it."""

    def __init__(self, runs: Path, run_id: str, attempt: int) -> None:
        self.path = runs / run_id
        self.attempt = self.path / f"attempt-{attempt}"

    @property
    def output(self) -> Path:
        """The file with the complete output of the run and its watcher."""
        return self.path / "output.log"

    def say(self, what: str) -> None:
        """Appends a line of the workbench's own to the output."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        say(self.output, what)

    def begun(self) -> bool:
        """Returns True if a watcher has begun."""
        found = self.read(process_watcher.CLAIM)
        return found is not None and found["pid"] is not None

    def abandon(self) -> bool:
        """Prevents a watcher that has not begun from ever beginning; returns False if it has
        begun."""
        self.attempt.mkdir(parents=True, exist_ok=True, mode=0o700)
        process_watcher.claim(self.attempt, {"pid": None, "mark": None})
        return not self.begun()

    def started(self) -> datetime | None:
        """The time at which the script was started; None if it was not."""
        found = self.read(process_watcher.STARTED)
        return None if found is None else datetime.fromisoformat(found["at"])

    def ended(self) -> Ended | None:
        """The end of the run; None until its last process has ended."""
        found = self.read(process_watcher.ENDED)
        if found is None:
            return None
        return Ended(found["outcome"], found["exit_code"], datetime.fromisoformat(found["at"]))

    def watcher(self) -> int | None:
        """The watcher's pid; None if it has ended."""
        found = self.read(process_watcher.CLAIM)
        if (
            not found
            or found["pid"] is None
            or process_watcher.process_mark(found["pid"]) != found["mark"]
        ):
            return None
        pid: int = found["pid"]
        return pid

    def ask_to_stop(self) -> None:
        """Signals the watcher to end the run."""
        pid = self.watcher()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def read(self, name: str) -> dict[str, Any] | None:
        """The JSON object in the file `name` of the launch's folder; None if there is none."""
        try:
            content: dict[str, Any] = json.loads((self.attempt / name).read_text())
        except FileNotFoundError:
            return None
        return content


def say(log: Path, what: str) -> None:
    """Appends a line of the workbench's own to a log. Raises OSError if that cannot be done."""
    # A pipe that a job may have put there is not waited at until somebody reads it.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
    with open(os.open(log, flags, 0o644), "a") as file:
        file.write(f"[workbench] {what}\n")
