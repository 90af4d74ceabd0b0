"""A studio of real processes, started by the command that users start it with."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ft.client import FineTuningStudioClient
from ft.health import check_address
from ft.local.layout import GROUP
from tests.processes import starts_processes
from tests.support import TRAINER_PYTHON, environment, run

FTS = str(Path(sys.executable).parent / "fts")


class Studio:
    """A studio on this machine in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.project = home / "project"
        self.env = environment(home)

    def fts(self, *arguments: str, seconds: float = 300.0) -> Any:
        """Runs `fts`; what it printed as JSON. Fails with its output unless it exits with 0."""
        done = run(FTS, *arguments, "--json", env=self.env, seconds=seconds)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def pids(self) -> dict[str, int]:
        """Process ids by name, 0 for what does not run. Says so of sick processes too."""
        listed = run(FTS, "status", "--json", env=self.env).stdout
        return {process["name"]: process["pid"] for process in json.loads(listed)}

    def well(self) -> bool:
        """Whether every process serves."""
        return run(FTS, "status", env=self.env).returncode == 0

    def supervisor(self, action: str, process: str) -> str:
        """Starts or stops a process with `supervisorctl`; what it printed."""
        control = str(Path(sys.executable).parent / "supervisorctl")
        config = str(self.home / "supervisord.conf")
        return run(control, "-c", config, action, f"{GROUP}:{process}").stdout

    @property
    def address(self) -> str:
        """Where the facade listens."""
        return (self.home / "run" / "facade.address").read_text()

    def client(self) -> FineTuningStudioClient:
        """A client of the facade."""
        ip, _, port = self.address.rpartition(":")
        return FineTuningStudioClient(ip, port)

    def health(self, name: str) -> str:
        """The facade's answer about an entry of its health board."""
        return check_address(self.address, name)


@contextmanager
def serving(
    home: Path, trainer_python: str = str(TRAINER_PYTHON), **variables: str
) -> Iterator[Studio]:
    """A studio that serves while the block runs, with these variables in its environment."""
    studio = Studio(home)
    up = ["up", "--wait", "300", "--listen", "127.0.0.1:0", "--trainer-python", trainer_python]
    try:
        done = run(FTS, *up, env={**studio.env, **variables})
        assert done.returncode == 0, done.stdout + done.stderr
        yield studio
    finally:
        run(FTS, "down", env=studio.env)


@pytest.fixture(scope="session")
@starts_processes
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with serving(tmp_path_factory.mktemp("home")) as studio:
        yield studio
