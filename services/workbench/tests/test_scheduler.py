"""Steps happen when something has changed, not by the clock."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event, select

import cmlapi
from chassis.config import sqlite_url
from services.workbench.engine import runs as runs_module
from services.workbench.engine.context import EngineContext
from services.workbench.engine.launch import Address, Launcher
from services.workbench.engine.process_ends import ProcessEnds
from services.workbench.engine.runs import AT_ONCE, JobRuns
from services.workbench.host.machine import Machine
from services.workbench.operations.jobs import create_job_run, get_job_run, stop_job_run
from services.workbench.scheduler import Scheduler
from services.workbench.serving import deployments as deployments_module
from services.workbench.serving.deployments import Deployments
from services.workbench.settings import WorkbenchSettings
from services.workbench.store.database import Database
from services.workbench.store.tables import JobRow, JobRunRow, ProjectRow
from services.workbench.tests.rows import insert_rows, run_row
from tests.processes import starts_processes

SECONDS = 120.0
WAIT_FOR_GO = """
import pathlib, time
while not pathlib.Path("go").exists():
    time.sleep(0.05)
"""


class Bench:
    """The parts of a workbench with 2 CPUs, without its HTTP server."""

    def __init__(self, folder: Path) -> None:
        self.settings = WorkbenchSettings(home=folder, project_dir=folder / "project")
        self.project = self.settings.project
        self.project.mkdir(parents=True, exist_ok=True)
        self.settings.runs_dir.mkdir()
        self.database = Database("workbench", sqlite_url(self.settings.database_file))
        launcher = Launcher(self.settings, Address("http://127.0.0.1:9", "key"))
        wake = asyncio.Event()
        context = EngineContext(
            self.database, self.settings, Machine(2, 4), launcher, ProcessEnds(wake)
        )
        self.runs = JobRuns(context)
        self.scheduler = Scheduler(self.runs, Deployments(context), wake)

    @property
    def parts(self) -> Any:
        """What operations need of it."""
        return SimpleNamespace(database=self.database, runs=self.runs, scheduler=self.scheduler)

    async def job(self, code: str, cpu: float = 2.0) -> str:
        script = self.project / f"script{len(list(self.project.glob('*.py')))}.py"
        script.write_text(code)

        def work(session: Any) -> str:
            row = JobRow(project_id="local", name=script.stem, script=script.name, cpu=cpu)
            session.add(row)
            session.flush()
            return row.id

        return await self.database.write(work)

    async def submit(self, job_id: str) -> str:
        run = await create_job_run(self.parts, "local", job_id, cmlapi.CreateJobRunRequest())
        return str(run.id)

    def run(self, id: str) -> JobRunRow:
        wanted = select(JobRunRow).where(JobRunRow.id == id)
        return self.database.read(lambda session: session.scalars(wanted).one())

    async def reach(self, id: str, *statuses: str) -> JobRunRow:
        """The run once a step has brought it to one of the statuses."""
        wanted = [f"ENGINE_{status}" for status in statuses]
        async with asyncio.timeout(SECONDS):
            await self.scheduler.until(lambda: self.run(id).status in wanted)
        return self.run(id)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    found = Bench(tmp_path)
    await found.database.open()
    await found.database.write(lambda s: s.add(ProjectRow(id="local", name="local")))
    yield found
    await found.database.close()


@pytest.fixture
@starts_processes
async def running(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """A bench that steps, and next to never without a cause."""
    for module in (runs_module, deployments_module):
        monkeypatch.setattr(module, "SAFETY", 86_400.0)
    task = asyncio.create_task(bench.scheduler.run())
    yield bench
    (bench.project / "go").touch()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_run_starts_because_it_is_submitted(running: Bench) -> None:
    run = await running.submit(await running.job(""))
    assert (await running.reach(run, "SUCCEEDED", "FAILED")).status == "ENGINE_SUCCEEDED"


async def test_run_starts_because_a_process_has_ended(running: Bench) -> None:
    first = await running.submit(await running.job(WAIT_FOR_GO))
    await running.reach(first, "RUNNING")
    second = await running.submit(await running.job(""))
    third = await running.submit(await running.job("", cpu=1))
    await running.scheduler.until(lambda: bool(running.runs.reason(running.run(third))))
    assert running.run(second).status == "ENGINE_SCHEDULING"
    assert "it starts after" in running.runs.reason(running.run(third))
    (running.project / "go").touch()
    ended = await running.reach(second, "SUCCEEDED", "FAILED")
    assert ended.starting_at is not None
    assert running.run(first).finished_at <= ended.starting_at
    assert (await running.reach(third, "SUCCEEDED", "FAILED")).status == "ENGINE_SUCCEEDED"


async def test_run_starts_because_another_was_stopped(running: Bench) -> None:
    job = await running.job(WAIT_FOR_GO)
    first = await running.submit(job)
    await running.reach(first, "RUNNING")
    second = await running.submit(await running.job(""))
    await stop_job_run(running.parts, "local", job, first)
    assert (await running.reach(second, "SUCCEEDED", "FAILED")).status == "ENGINE_SUCCEEDED"


async def test_watcher_of_an_earlier_workbench_is_followed(running: Bench) -> None:
    run = await running.submit(await running.job(WAIT_FOR_GO))
    await running.reach(run, "RUNNING")
    running.runs._watchers.clear()
    running.runs._ends._followed.clear()
    running.scheduler.wake()
    await running.scheduler.until(lambda: bool(running.runs._ends._followed))
    (running.project / "go").touch()
    assert (await running.reach(run, "SUCCEEDED", "FAILED")).status == "ENGINE_SUCCEEDED"


@pytest.mark.starts_processes
async def test_nothing_is_asked_of_the_clock_while_a_run_runs(bench: Bench) -> None:
    run = await bench.submit(await bench.job(WAIT_FOR_GO))
    assert await bench.runs.step() == runs_module.SOON
    while bench.run(run).status != "ENGINE_RUNNING":
        await bench.runs.step()
    assert await bench.runs.step() == runs_module.SAFETY
    (bench.project / "go").touch()
    await bench.runs._ends.wake.wait()
    while bench.run(run).status == "ENGINE_RUNNING":
        await bench.runs.step()
    assert await bench.runs.step() is None


@pytest.mark.starts_processes
async def test_system_that_tells_of_no_end_is_looked_at_again_soon(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    run = await bench.submit(await bench.job(WAIT_FOR_GO))
    while bench.run(run).status != "ENGINE_RUNNING":
        await bench.runs.step()
    assert await bench.runs.step() == runs_module.SOON
    (bench.project / "go").touch()
    while bench.run(run).status == "ENGINE_RUNNING":
        await bench.runs.step()


@pytest.fixture
def selected(bench: Bench) -> Callable[[], int]:
    """Counts the rows of runs that are made into objects, since it was last asked."""
    count = 0

    @event.listens_for(JobRunRow, "load")
    def _loaded(*_: object) -> None:
        nonlocal count
        count += 1

    def since() -> int:
        nonlocal count
        found, count = count, 0
        return found

    return since


def queue(session: Any, job_id: str, cpu: float, count: int) -> None:
    """Queues runs of a job as `create_job_run` does."""
    waiting = {"job_id": job_id, "status": "ENGINE_SCHEDULING", "cpu": cpu}
    insert_rows(session, (run_row(**waiting) for _ in range(count)))


@pytest.mark.starts_processes
async def test_step_reads_few_rows_of_a_long_queue(
    bench: Bench, selected: Callable[[], int]
) -> None:
    blocker = await bench.submit(await bench.job(WAIT_FOR_GO))
    while bench.run(blocker).status != "ENGINE_RUNNING":
        await bench.runs.step()
    await bench.database.write(lambda s: queue(s, bench.run(blocker).job_id, 1.0, 1000))
    while await bench.runs.step() == runs_module.SOON:
        pass
    selected()
    assert await bench.runs.step() == runs_module.SAFETY
    assert selected() <= AT_ONCE + 3
    told = list(bench.settings.runs_dir.glob("*/output.log"))
    assert len([log for log in told if "waits for 1 CPU" in log.read_text()]) == 1000
    (bench.project / "go").touch()
    await bench.runs._ends.wake.wait()


async def test_runs_that_can_never_begin_are_read_once(
    bench: Bench, selected: Callable[[], int]
) -> None:
    job = await bench.job("")
    await bench.database.write(lambda s: queue(s, job, 3.0, 300))
    while await bench.runs.step() is not None:
        pass
    selected()
    assert await bench.runs.step() is None
    assert selected() == 0


async def test_reason_is_shown_with_the_run(bench: Bench) -> None:
    run = bench.run(await bench.submit(await bench.job("", cpu=2.5)))
    shown = await get_job_run(bench.parts, "local", run.job_id, run.id)
    assert "machine has 2" in json.loads(shown.environment)["FTS_WAITS_FOR"]
