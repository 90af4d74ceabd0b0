"""A local workbench as a workspace that is spoken to by HTTP alone."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import ServiceProcess, until

PROJECT = "/api/v2/projects/local"


class Workspace:
    """A running workbench with its state in a folder."""

    def __init__(self, home: Path, **variables: str) -> None:
        self.home = home
        self.project = home / "project"
        self.variables = {
            "FTS_WORKBENCH_GPUS": "2",
            "FTS_WORKBENCH_STARTER_DIR": str(home / "no-starter"),
            "FTS_PROJECT_DIR": str(self.project),
            **variables,
        }
        self.process: ServiceProcess | None = None

    @property
    def url(self) -> str:
        return (self.home / "workbench.url").read_text()

    @property
    def key(self) -> str:
        return (self.home / "workbench.key").read_text().strip()

    def start(self) -> None:
        self.process = ServiceProcess("workbench", self.home, **self.variables)
        until("the workbench answers", self._answers)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                return True
        except OSError:
            return False

    def call(
        self, method: str, path: str, body: object = None, **query: object
    ) -> tuple[int, dict[str, Any]]:
        """The status and the JSON document of an answer."""
        address = f"{self.url}{path}?{urllib.parse.urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data, method=method)
        request.add_header("Authorization", f"Bearer {self.key}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def get(self, path: str, **query: object) -> dict[str, Any]:
        status, document = self.call("GET", path, **query)
        assert status == 200, document
        return document

    def make_job(self, **fields: Any) -> dict[str, Any]:
        body = {"name": "job", "script": "s.py", "cpu": 1, "memory": 1, **fields}
        status, job = self.call("POST", f"{PROJECT}/jobs", body)
        assert status == 200, job
        return job

    def run(self, job: dict[str, Any]) -> str:
        """Runs a job to its end; how it ended."""
        runs = f"{PROJECT}/jobs/{job['id']}/runs"
        status, made = self.call("POST", runs, {})
        assert status == 200, made

        def over() -> str | None:
            run = self.get(f"{runs}/{made['id']}")
            return str(run["status"]) if run.get("finished_at") else None

        return until("the run is over", over)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serves for as long as the block runs."""
        self.start()
        try:
            yield
        finally:
            assert self.process is not None
            self.process.stop()
            self.process.kill()


@contextmanager
def running(home: Path, **variables: str) -> Iterator[Workspace]:
    """A workbench for as long as the block runs."""
    workspace = Workspace(home, **variables)
    with workspace.serving():
        yield workspace
