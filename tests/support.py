"""Helpers of the tests that run real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

REPOSITORY = Path(__file__).parents[1]
TRAINER_PYTHON = REPOSITORY / ".venv-trainer/bin/python"
DEADLINE_SECONDS = 120.0


def until(
    what: str, ask: Callable[[], T | None], seconds: float = DEADLINE_SECONDS, pause: float = 0.1
) -> T:
    """The first answer that is neither None nor False; fails, naming `what`, at the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = ask()
        if answer is not None and answer is not False:
            return answer
        time.sleep(pause)
    raise AssertionError(f"{what}: not within {seconds} s")


def environment(home: Path, **variables: str) -> dict[str, str]:
    """A process's environment without what the shell says about studios and workspaces."""
    foreign = ("FTS_", "CDSW_", "FINE_TUNING_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    return {**kept, "FTS_HOME": str(home), "HF_HUB_OFFLINE": "1", **variables}


class ServiceProcess:
    """One service as a process of its own, listening on a unix socket in its home."""

    def __init__(
        self, service: str, home: Path, python: str = sys.executable, **variables: str
    ) -> None:
        self.socket = f"unix:{home}/run/{service}.sock"
        home.mkdir(parents=True, exist_ok=True)
        self.log = home / f"{service}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [python, "-m", f"services.{service}"],
                cwd=home,
                env=environment(home, **variables),
                stderr=log,
            )

    def stop(self) -> int:
        """Ends it with SIGTERM; its exit status."""
        self.process.terminate()
        return self.process.wait(timeout=120)

    def kill(self) -> None:
        """Makes sure that it is gone."""
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait(timeout=120)


def run(
    *command: str,
    env: Mapping[str, str] | None = None,
    seconds: float = 300.0,
    cwd: Path | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Runs a command to its end; its output is kept."""
    return subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=seconds, check=False, cwd=cwd
    )
