"""Jobs whose scripts the tests write, in a real workbench."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from ft.enums import JobState
from ft.job_protocol.events import JobEvent, OtherEvent
from jobs.execution.dispatch import JobDispatcher, JobSpec
from jobs.execution.lease import Lease
from jobs.execution.observer import Changes, Observer
from jobs.execution.reconciler import Reconciler
from jobs.execution.sightings import Sightings
from jobs.lifecycle import JobLifecycle
from jobs.store.job_record import JobRecord
from jobs.store.records import JobRecords
from jobs.testing import WorkbenchProcess, until
from jobs.tests.tables import SomeLease
from jobs.workspace.client import Workspace

SOON = timedelta(seconds=0.5)
NO_TIME = timedelta(0)
SLEEP = "\nimport time; time.sleep(600)"
REPORT = """
import json, os, sys
folder = sys.argv[0].replace(".py", "")
os.makedirs(folder, exist_ok=True)
events = open(folder + "/events.jsonl", "a", buffering=1)
log = open(folder + "/job.log", "a", buffering=1)
def report(event, **fields):
    events.write(json.dumps({"event": event, **fields}) + "\\n")
"""


class Jobs:
    """Starts and watches jobs whose scripts the tests write."""

    def __init__(self, records: JobRecords[Any], workbench: WorkbenchProcess) -> None:
        self.records = records
        self.workbench = workbench
        self.workspace = Workspace()
        self.project = workbench.project
        self.dispatcher = JobDispatcher(records, self.workspace, {}, late=SOON)
        self.reconciler = self.reconciles()

    def measure_by(self, clock: Callable[[], float]) -> None:
        """Begins as a new process that has seen nothing yet, with a clock of the test's own."""
        self.dispatcher = JobDispatcher(self.records, self.workspace, {}, SOON, Sightings(clock))
        self.reconciler = self.reconciles(clock=clock)

    def reconciles(
        self,
        untouched: timedelta = SOON,
        first_pause: timedelta = NO_TIME,
        clock: Callable[[], float] = time.monotonic,
    ) -> Reconciler[Any]:
        observer = Observer(
            self.records,
            self.workspace,
            self.project,
            self.reported,
            SOON,
            first_pause,
            Sightings(clock),
        )
        lease = Lease(self.records.store, SomeLease)
        return Reconciler(
            self.records,
            self.workspace,
            self.dispatcher,
            observer,
            lease,
            untouched,
            Sightings(clock),
        )

    @staticmethod
    def reported(_job: JobRecord, event: JobEvent, _changes: Changes) -> Changes:
        if isinstance(event, OtherEvent) and event.other_name == "best":
            return {"best": event.content["best"]}
        return {}

    @asynccontextmanager
    async def watched(self, reconciler: Reconciler[Any]) -> AsyncIterator[None]:
        task = asyncio.create_task(reconciler.run())
        yield
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def new(self, code: str = "", template: str = "Finetuning_Base_Job", **fields: Any) -> Any:
        id = str(uuid.uuid4())
        (self.project / "outputs").mkdir(exist_ok=True)
        script = self.workbench.script(f"outputs/{id}.py", REPORT + code)
        spec = JobSpec(template=template, script=script, arguments="", cpu=1, memory=1, gpu=0)
        return self.records.kind(id=id, spec=spec.stored(), **fields)

    @property
    def lifecycle(self) -> JobLifecycle[Any]:
        return JobLifecycle(
            "job",
            self.records,
            self.workspace,
            self.dispatcher,
            self.project,
            self.reconciler.wake,
            patience=30.0,
        )

    async def land(self, job: Any) -> str:
        """A request to create the job is served late; its run as well."""
        created = await self.workspace.create_job(
            name=job.id, script=json.loads(job.spec)["script"], cpu=1.0, memory=1.0, kernel="k"
        )
        await self.workspace.create_run(created.id)
        return str(created.id)

    def named(self, id: str) -> list[Any]:
        return [job for job in self.workbench.jobs() if job.name == id]

    async def start(self, code: str) -> str:
        [started] = await self.lifecycle.start([self.new(code)])
        return str(started.id)

    async def ended(self, id: str) -> Any:
        def end() -> Any:
            job = self.records.one(id=id)
            return job if job and JobState(job.state).ended else None

        return await until("the job has ended", end)
