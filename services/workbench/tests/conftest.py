"""A real workbench process on a free port, and the real client."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import cmlapi
from cmlapi.rest import ApiException
from services.workbench.tests.served_models import Served, deployed
from tests.processes import starts_processes

DEADLINE_SECONDS = 120.0
ROOT = Path(__file__).resolve().parents[3]


def wait_for(what: str, condition: Callable[[], Any], seconds: float = DEADLINE_SECONDS) -> Any:
    """The first true value of `condition`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


class Harness:
    """A workbench over one home folder, which outlives the processes that serve it."""

    project_id = "local"

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.project = folder / "project"
        self.project.mkdir(parents=True)
        self.log = folder / "workbench.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.settings = {
            "FTS_WORKBENCH_CPU": "2",
            "FTS_WORKBENCH_MEMORY_GIB": "4",
            "FTS_WORKBENCH_GPUS": "2",
            "FTS_WORKBENCH_STOP_GRACE_SECONDS": "0.5",
            "FTS_WORKBENCH_STARTER_DIR": str(folder / "no-starter"),
        }

    @property
    def url(self) -> str:
        return (self.home / "workbench.url").read_text()

    @property
    def key(self) -> str:
        return (self.home / "workbench.key").read_text()

    def spawn(self) -> subprocess.Popen[bytes]:
        """A workbench process that may not be ready yet."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("FTS_")}
        environment |= {
            "FTS_HOME": str(self.home),
            "FTS_PROJECT_DIR": str(self.project),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "shared")]),
            **self.settings,
        }
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "services.workbench"], env=environment, stderr=log
            )

    def start(self) -> cmlapi.CMLServiceApi:
        """A workbench that answers, and a client of it."""
        self.process = self.spawn()
        wait_for("the workbench answers", self._answers)
        return self.client()

    def client(self) -> cmlapi.CMLServiceApi:
        return cmlapi.default_client(self.url, self.key)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal; the process's exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(DEADLINE_SECONDS)
        self.process = None
        return status

    def job(self, api: cmlapi.CMLServiceApi, code: str, **fields: Any) -> cmlapi.Job:
        """A job whose script is `code`."""
        script = self.project / f"script{len(list(self.project.glob('script*.py')))}.py"
        script.write_text(textwrap.dedent(code))
        request: dict[str, Any] = {"name": script.stem, "script": script.name}
        request |= {"cpu": 0.1, "memory": 0.1} | fields
        return api.create_job(cmlapi.CreateJobRequest(**request), self.project_id)

    def run(self, api: cmlapi.CMLServiceApi, job: Any, **fields: Any) -> cmlapi.JobRun:
        return api.create_job_run(cmlapi.CreateJobRunRequest(**fields), self.project_id, job.id)

    def read(self, api: cmlapi.CMLServiceApi, run: Any) -> cmlapi.JobRun:
        return api.get_job_run(self.project_id, run.job_id, run.id)

    def reach(self, api: cmlapi.CMLServiceApi, run: Any, *statuses: str) -> cmlapi.JobRun:
        """The run once it has one of the statuses."""

        def reached() -> cmlapi.JobRun | None:
            found = self.read(api, run)
            return found if found.status in statuses else None

        found: cmlapi.JobRun = wait_for(f"run is {statuses}", reached)
        return found

    def done(self, api: cmlapi.CMLServiceApi, run: Any) -> cmlapi.JobRun:
        """The run once it is over."""
        over = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEDOUT")
        return self.reach(api, run, *(f"ENGINE_{status}" for status in over))

    def output(self, run: Any) -> str:
        return (self.home / "runs" / str(run.id) / "output.log").read_text()

    def written(self, name: str) -> str:
        """The content of a project file, once it has a whole line."""
        path = self.project / name

        def content() -> str:
            text = path.read_text() if path.exists() else ""
            return text if text.endswith("\n") else ""

        text: str = wait_for(f"{name} is written", content)
        return text


@pytest.fixture
@starts_processes
def harness(tmp_path: Path) -> Iterator[Harness]:
    """A workbench of the test's own, not started yet."""
    found = Harness(tmp_path)
    yield found
    if found.process is not None:
        found.end(signal.SIGKILL)


@pytest.fixture(scope="session")
@starts_processes
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A running workbench that all tests share that need none of their own."""
    found = Harness(tmp_path_factory.mktemp("workbench"))
    found.start()
    yield found
    found.end()


@pytest.fixture
def api(shared: Harness) -> cmlapi.CMLServiceApi:
    """A client of the shared workbench."""
    return shared.client()


@pytest.fixture
def wait() -> Callable[..., Any]:
    """`wait_for`."""
    return wait_for


@pytest.fixture
def deploy(wait: Callable[..., Any]) -> Iterator[Callable[..., Served]]:
    """Builds and deploys a script, and waits for a status. What is deployed goes in the end."""
    made: list[Served] = []

    def make(harness: Any, code: str, *, status: str = "deployed", **how: Any) -> Served:
        served = deployed(harness, code, **how)
        made.append(served)
        wait(f"it is {status}", lambda: served.status() == status)
        return served

    yield make
    for served in made:
        if served.harness.process is not None:
            with contextlib.suppress(ApiException):  # some tests delete it themselves
                served.harness.client().delete_model("local", served.model.id)
