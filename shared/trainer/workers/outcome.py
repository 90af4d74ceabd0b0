"""Outcomes of the workers of an attempt, in files in a folder that all of them see.

A worker that fails writes its reason, or its agent writes how it ended. The job's own process reads
the files.
"""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ft.enums import FailureKind
from ft.job_protocol import exit_status

LOG_LINES = 8
LOG_BYTES = 16 * 1024


@dataclass(frozen=True)
class WorkerOutcome:
    """The failure of a worker."""

    rank: int
    kind: FailureKind
    reason: str
    """One sentence, fit for the user."""
    detail: str = ""
    self_reported: bool = True
    """False for a worker that was ended from outside, which makes other workers fail."""
    at: float = 0.0
    """Seconds since 1970, by the clock of its machine."""


class WorkerFiles:
    """The files of one attempt at a job."""

    def __init__(self, job_folder: Path, attempt: int) -> None:
        self._folder = job_folder / f"workers-{attempt}"

    def clear(self) -> None:
        """Creates the folder, or removes the files of an earlier run of the same attempt."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for file in self._folder.iterdir():
            file.unlink()

    def log(self, rank: int) -> Path:
        """The file with the output of a worker other than the first, whose output is the job's."""
        return self._folder / f"{rank}.log"

    def notices(self, rank: int) -> Path:
        """The file with the notices of a worker other than the first, which reports its own."""
        return self._folder / f"{rank}.notices"

    def read_notices(self, rank: int) -> list[str]:
        """The notices that a worker has written so far."""
        try:
            text = self.notices(rank).read_text(encoding="utf-8")
        except OSError:
            return []
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def write(self, outcome: WorkerOutcome) -> None:
        """Writes an outcome, unless the worker has one."""
        temporary = self._folder / f".{outcome.rank}.{os.getpid()}"
        temporary.write_text(json.dumps({**asdict(outcome), "at": time.time()}))
        try:
            os.link(temporary, self._file(outcome.rank))
        except FileExistsError:
            pass
        finally:
            temporary.unlink()

    def read(self, rank: int) -> WorkerOutcome | None:
        """The outcome of a worker; None without one."""
        try:
            content = json.loads(self._file(rank).read_text())
        except FileNotFoundError:
            return None
        return WorkerOutcome(**{**content, "kind": FailureKind(content["kind"])})

    def last_lines(self, rank: int) -> str:
        """The last lines of a worker's output; empty for the first."""
        try:
            with self.log(rank).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_BYTES))
                text = file.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-LOG_LINES:])

    def _file(self, rank: int) -> Path:
        return self._folder / f"{rank}.json"


def cause(outcomes: list[WorkerOutcome]) -> WorkerOutcome:
    """The outcome that caused the others."""
    return min(outcomes, key=lambda one: (one.self_reported, one.at))


def ended(rank: int, status: int) -> WorkerOutcome:
    """The outcome of a worker that has written none, with the exit status as Popen has it."""
    return WorkerOutcome(
        rank, FailureKind.CRASHED, exit_status.describe_exit(status), self_reported=False
    )
