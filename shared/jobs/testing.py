"""Support for tests of jobs: a real workbench process with its state in a temporary folder, and an
inspection with a scripted answer."""

import asyncio
import json
import textwrap
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import cmlapi
from chassis.domains import INSPECTION
from chassis.rpc.dispatch import handlers
from chassis.rpc.server import ServiceParts
from chassis.testing.services import ServiceProcess, exported_rows, serving, settings_in
from ft.job_protocol.variables import FRAMEWORKS, NO_TRAINER
from ft.proto.inspection_pb2 import InspectJobRequest, InspectJobResponse

PROJECT_ID = "local"
_START_SECONDS = 120.0


class WorkbenchProcess:
    """A workbench that answers for as long as the block runs.

    `environment` is what a service must find in its own to use it as its workspace.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self._stated: dict[str, str] = {}
        """Variables of the template jobs as they were in the beginning, by their names."""
        self.folder = folder
        self.project = folder / "project"
        self._process = ServiceProcess(
            folder,
            "workbench",
            # The capacity must not depend on the machine that the tests run on.
            **{
                "FTS_WORKBENCH_CPU": "64",
                "FTS_WORKBENCH_MEMORY_GIB": "64",
                "FTS_WORKBENCH_GPUS": "8",
                "FTS_WORKBENCH_STOP_GRACE_SECONDS": "0.2",
                "FTS_WORKBENCH_STARTER_DIR": str(folder / "no-starter"),
                **environment,
            },
        )

    def __enter__(self) -> "WorkbenchProcess":
        self._process.__enter__()
        self._answering()
        self._stated = {str(job.name): str(job.environment) for job in self._templates()}
        return self

    def __exit__(self, *_: object) -> None:
        # First, since its runs outlive it by design.
        self.clear()
        self._process.kill()

    def kill(self) -> None:
        """Kills it with SIGKILL; its runs go on."""
        self._process.kill()

    def start(self) -> None:
        """Starts it again; returns before it answers."""
        self._process.start()

    def restart(self, **environment: str) -> None:
        """Kills it and starts it again with other variables; returns once it answers."""
        self._process.kill()
        self._process.environment.update(environment)
        self._process.start()
        self._answering()

    def _answering(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers():
            assert time.monotonic() < deadline, self._process.log.read_text()
            time.sleep(0.05)
        # Its jobs run scripts of the tests' own, in an environment that has no trainer.
        self.state(**{NO_TRAINER: ""})

    def clear(self) -> None:
        """Deletes its jobs, ends their runs and restores its template jobs."""
        for job in self._all():
            if job.name not in self._stated:
                self.api.delete_job(PROJECT_ID, str(job.id))
            elif job.environment != self._stated[str(job.name)]:
                job.environment = self._stated[str(job.name)]
                self.api.update_job(job, PROJECT_ID, str(job.id))

    @property
    def url(self) -> str:
        """Its URL."""
        return (self.folder / "workbench.url").read_text()

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a service that uses it."""
        return {
            "CDSW_API_URL": f"{self.url}/api/v2",
            "CDSW_APIV2_KEY": (self.folder / "workbench.key").read_text().strip(),
            "CDSW_PROJECT_ID": PROJECT_ID,
            "FTS_PROJECT_DIR": str(self.project),
        }

    @property
    def api(self) -> cmlapi.CMLServiceApi:
        """A client of it."""
        environment = self.environment
        return cmlapi.default_client(environment["CDSW_API_URL"], environment["CDSW_APIV2_KEY"])

    def jobs(self) -> list[cmlapi.Job]:
        """Returns its jobs without the templates."""
        return [job for job in self._all() if not _is_template(job)]

    def job(self, name: str) -> cmlapi.Job:
        """The one job of that name."""
        [found] = [job for job in self._all() if job.name == name]
        return found

    def let_jobs_have(self, frameworks: str) -> None:
        """Sets the frameworks that its template jobs state."""
        self.state(**{FRAMEWORKS: frameworks})

    def state(self, **variables: str) -> None:
        """Adds variables to the environment of its template jobs."""
        for job in self._templates():
            said = json.dumps({**json.loads(job.environment or "{}"), **variables})
            self.api.update_job(cmlapi.Job(environment=said), PROJECT_ID, str(job.id))

    def script(self, name: str, code: str) -> str:
        """Writes a script into the project; its location."""
        (self.project / name).write_text(textwrap.dedent(code))
        return name

    def _templates(self) -> list[cmlapi.Job]:
        return [job for job in self._all() if _is_template(job)]

    def _all(self) -> list[cmlapi.Job]:
        api, found, token = self.api, [], ""
        while True:
            page = api.list_jobs(PROJECT_ID, page_size=1000, page_token=token)
            found += page.jobs or []
            token = page.next_page_token or ""
            if not token:
                return found

    def answers(self) -> bool:
        """Tells whether it answers now."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5):  # noqa: S310 - its own
                return True
        except OSError:
            return False


def _is_template(job: cmlapi.Job) -> bool:
    return str(job.name).endswith("_Base_Job")


class Inspector:
    """Answers inspections with `answer`, and records the requests."""

    def __init__(self) -> None:
        self.answer = InspectJobResponse()
        self.asked: list[InspectJobRequest] = []

    async def InspectJob(self, request: InspectJobRequest) -> InspectJobResponse:  # noqa: N802
        """Returns the answer."""
        self.asked.append(request)
        return self.answer


@asynccontextmanager
async def inspecting(folder: Path, inspector: Inspector | None = None) -> AsyncIterator[Inspector]:
    """Serves an inspector where the services with their state in `folder` look for one."""
    inspector = inspector or Inspector()
    parts = ServiceParts(
        service_names=[INSPECTION.full_name],
        handlers=lambda dispatcher: [handlers(INSPECTION, inspector, dispatcher)],
    )
    async with serving(settings_in(folder, "inspection"), parts):
        yield inspector


async def everything(folder: Path, workbench: WorkbenchProcess, *domains: str) -> dict[str, Any]:
    """Returns all state that a call could change: rows, files of the project, workspace jobs."""
    rows = {domain: await exported_rows(folder, domain) for domain in domains}
    files = {path: path.stat().st_mtime_ns for path in workbench.project.rglob("*")}
    return {**rows, "files": files, "jobs": [job.id for job in workbench.jobs()]}


async def until(what: str, condition: Callable[[], Any], seconds: float = 120.0) -> Any:
    """Waits for `condition` and returns its first true value. Raises AssertionError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")
