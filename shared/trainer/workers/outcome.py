"""What is known of the workers of a job's attempt: files in a folder that all of them see.

A worker that cannot go on says why, or the agent that looks after it how it ended; the job's own
process reads it and tells the user.
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
    """How a worker failed."""

    rank: int
    kind: FailureKind
    reason: str
    """One sentence, fit for the user."""
    detail: str = ""
    told: bool = True
    """Whether the worker itself says so. One that was ended from outside does not, and the errors
    of others are what came of it."""
    at: float = 0.0
    """Seconds since 1970, by the clock of its machine."""


class WorkerFiles:
    """The files of one attempt at a job."""

    def __init__(self, job_folder: Path, attempt: int) -> None:
        self._folder = job_folder / f"workers-{attempt}"

    def clear(self) -> None:
        """Nothing of an earlier run at the same attempt is left."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for file in self._folder.iterdir():
            file.unlink()

    def log(self, rank: int) -> Path:
        """Where the output of a worker is, but for the first, whose output is the job's."""
        return self._folder / f"{rank}.log"

    def notices(self, rank: int) -> Path:
        """Where a worker keeps its notices, but for the first, which tells them itself."""
        return self._folder / f"{rank}.notices"

    def read_notices(self, rank: int) -> list[str]:
        """The notices of a worker, as far as they are written."""
        try:
            text = self.notices(rank).read_text(encoding="utf-8")
        except OSError:
            return []
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def write(self, outcome: WorkerOutcome) -> None:
        """The first word about a worker is the one that counts."""
        temporary = self._folder / f".{outcome.rank}.{os.getpid()}"
        temporary.write_text(json.dumps({**asdict(outcome), "at": time.time()}))
        try:
            os.link(temporary, self._file(outcome.rank))
        except FileExistsError:
            pass
        finally:
            temporary.unlink()

    def read(self, rank: int) -> WorkerOutcome | None:
        """How the worker failed, None while nobody says so."""
        try:
            content = json.loads(self._file(rank).read_text())
        except FileNotFoundError:
            return None
        return WorkerOutcome(**{**content, "kind": FailureKind(content["kind"])})

    def last_lines(self, rank: int) -> str:
        """The end of a worker's output; empty for the first."""
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
    """The one that the others came of."""
    return min(outcomes, key=lambda one: (one.told, one.at))


def ended(rank: int, status: int) -> WorkerOutcome:
    """The outcome of a worker that said nothing and left this exit status, as Popen gives it."""
    return WorkerOutcome(rank, FailureKind.CRASHED, exit_status.describe_exit(status), told=False)
