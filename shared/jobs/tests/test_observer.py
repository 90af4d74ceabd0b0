"""Records follow what real runs do and report."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from chassis.errors import Aborted, Refusal
from chassis.records import now
from ft.enums import JobState
from jobs.dispatch import JobSpec, dispatch
from jobs.lifecycle import JobLifecycle
from jobs.observer import Observer
from jobs.records import JobRecord, JobRecords
from jobs.testing import Workbench, until
from jobs.workspace import Workspace

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

    def __init__(self, records: JobRecords[Any], workbench: Workbench) -> None:
        self.records = records
        self.workbench = workbench
        self.workspace = Workspace()
        self.project = workbench.project
        self.observer = self.watch()

    def watch(self, grace: timedelta = timedelta(seconds=90)) -> Observer[Any]:
        return Observer(self.records, self.workspace, self.project, self.reported, grace)

    @staticmethod
    def reported(
        _job: JobRecord, event: Mapping[str, Any], _changes: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {"best": event["best"]} if event.get("event") == "best" else {}

    @asynccontextmanager
    async def watched(self, observer: Observer[Any]) -> AsyncIterator[None]:
        task = asyncio.create_task(observer.run())
        yield
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def new(self, code: str = "", **fields: Any) -> tuple[Any, JobSpec]:
        job = self.records.kind(id=str(uuid.uuid4()), **fields)
        (self.project / "outputs").mkdir(exist_ok=True)
        script = self.workbench.script(f"outputs/{job.id}.py", REPORT + code)
        return job, JobSpec(
            id=job.id,
            template="Finetuning_Base_Job",
            script=script,
            arguments="",
            cpu=1,
            memory=1,
            gpu=0,
        )

    @property
    def lifecycle(self) -> JobLifecycle[Any]:
        return JobLifecycle("job", self.records, self.workspace, self.project, self.observer.wake)

    async def start(self, code: str) -> str:
        job, spec = self.new(code)
        return str((await self.lifecycle.start(job, spec)).id)

    async def ended(self, id: str) -> Any:
        def end() -> Any:
            job = self.records.one(id=id)
            return job if job and JobState(job.state).ended else None

        return await until("the job has ended", end)


@pytest.fixture
async def jobs(records: JobRecords[Any], in_workspace: Workbench) -> Jobs:
    return Jobs(records, in_workspace)


@pytest.fixture
async def watched(jobs: Jobs) -> AsyncIterator[Jobs]:
    async with jobs.watched(jobs.observer):
        yield jobs


async def test_a_job_that_succeeds_with_all_that_it_reports(watched: Jobs) -> None:
    id = await watched.start("""
report("started", total_steps=10)
report("progress", step=5, total_steps=10, epoch=0.5, loss=1.5, tokens_per_second=100)
report("notice", message="fp16 is left out")
report("notice", message="fp16 is left out")
report("progress", step=10, total_steps=10, epoch=1.0, eval_loss=0.5, seconds_left=0)
report("best", best="b")
""")
    job = await watched.ended(id)
    assert job.state == JobState.SUCCEEDED
    assert (job.step, job.total_steps, job.epoch, job.loss, job.eval_loss) == (10, 10, 1, 1.5, 0.5)
    assert (job.tokens_per_second, job.seconds_left, job.best) == (100, 0, "b")
    assert job.created_at <= job.started_at <= job.finished_at <= now()
    status = job.status()
    assert status.notices == ["fp16 is left out"]
    assert (status.failure_reason, status.started_at[-1]) == ("", "Z")


async def test_a_job_that_says_why_it_fails(watched: Jobs) -> None:
    id = await watched.start('report("failed", reason="the model is no model"); sys.exit(1)')
    job = await watched.ended(id)
    assert (job.state, job.failure_reason) == (JobState.FAILED, "the model is no model")


async def test_a_job_that_fails_without_a_word_is_explained_by_its_log(watched: Jobs) -> None:
    id = await watched.start('log.write("step 1\\nKilled: out of memory\\n"); sys.exit(1)')
    job = await watched.ended(id)
    assert job.state == JobState.FAILED
    assert job.failure_reason.endswith("its last line: Killed: out of memory")


async def test_a_job_that_leaves_nothing_at_all(watched: Jobs) -> None:
    job = await watched.ended(await watched.start("sys.exit(3)"))
    assert job.failure_reason == "the job ended before it wrote anything"


async def test_nonsense_in_a_report_spoils_neither_the_job_nor_another(watched: Jobs) -> None:
    garbled = await watched.start("""
for value in ("x", {}, 10**400, -1, True, float("nan")):
    report("progress", step=value, epoch=value, loss=value)
report("progress", step=7, epoch=float("inf"), loss=0.25)
report("best", best={"no": "text"})
report("notice", message=None)
report("progress", step=8)
""")
    other = await watched.start('report("progress", step=1)')
    assert (await watched.ended(other)).step == 1
    job = await watched.ended(garbled)
    assert job.state == JobState.SUCCEEDED


async def test_a_job_that_says_too_much_is_cut_short(watched: Jobs) -> None:
    id = await watched.start("""
for number in range(200):
    report("notice", message=f"{number} " + "x" * 5_000)
report("failed", reason="no\\0 " + "y" * 100_000)
sys.exit(1)
""")
    job = await watched.ended(id)
    assert [len(notice) for notice in json.loads(job.notices)] == [2_000] * 50
    assert job.failure_reason.startswith("no yyy")
    assert len(job.failure_reason) == 2_000


async def test_a_job_that_is_stopped_in_the_workspace(watched: Jobs) -> None:
    id = await watched.start('report("progress", step=1); import time; time.sleep(600)')
    await until("it runs", lambda: watched.records.one(id=id).state == JobState.RUNNING)
    job = watched.records.one(id=id)
    await watched.workspace.stop_run(job.cml_job_id, job.run_id)
    job = await watched.ended(id)
    assert (job.state, job.failure_reason) == (JobState.STOPPED, None)


async def test_a_job_that_vanishes_from_the_workspace(watched: Jobs) -> None:
    id = await watched.start("import time; time.sleep(600)")
    await watched.workspace.delete_job(watched.records.one(id=id).cml_job_id)
    job = await watched.ended(id)
    assert job.state == JobState.FAILED
    assert job.failure_reason == "the workspace no longer knows the job"


async def test_a_start_that_was_cut_off_after_the_workspace_took_it_is_adopted(jobs: Jobs) -> None:
    job, spec = jobs.new('report("progress", step=3)')
    await jobs.records.add(job)
    dispatched = await dispatch(jobs.workspace, spec)
    async with jobs.watched(jobs.watch(grace=timedelta(0))):
        ended = await jobs.ended(job.id)
    assert (ended.state, ended.step) == (JobState.SUCCEEDED, 3)
    assert (ended.cml_job_id, ended.run_id) == (dispatched.cml_job_id, dispatched.run_id)


async def test_a_start_that_was_cut_off_before_is_a_failure_after_the_grace(jobs: Jobs) -> None:
    job, _ = jobs.new()
    await jobs.records.add(job)
    other = await jobs.start('report("progress", step=1)')
    async with jobs.watched(jobs.watch(grace=timedelta(seconds=60))):
        await jobs.ended(other)
        assert jobs.records.one(id=job.id).state == JobState.QUEUED
        table = jobs.records.table
        early = update(table).values(created_at=now() - timedelta(seconds=61))
        await jobs.records.store.write(lambda c: c.execute(early.where(table.c.id == job.id)))
        ended = await jobs.ended(job.id)
    assert ended.state == JobState.FAILED
    assert "interrupted before the workspace accepted" in ended.failure_reason


async def test_a_new_observer_takes_a_job_over_without_doubling_it(jobs: Jobs) -> None:
    id = await jobs.start("""
report("notice", message="one")
report("progress", step=1)
import time
while not os.path.exists(folder + "/go"): time.sleep(0.02)
report("notice", message="two")
""")
    async with jobs.watched(jobs.watch()):
        await until("the first part is read", lambda: jobs.records.one(id=id).step)
    async with jobs.watched(jobs.watch()):
        (jobs.project / f"outputs/{id}/go").touch()
        job = await jobs.ended(id)
    assert json.loads(job.notices) == ["one", "two"]


async def test_a_refused_start_is_in_the_record(jobs: Jobs) -> None:
    job, spec = jobs.new()
    with pytest.raises(Refusal) as refused:
        await jobs.lifecycle.start(job, JobSpec(**{**vars(spec), "template": "None"}))
    kept = jobs.records.one(id=job.id)
    assert (kept.state, kept.failure_reason) == (JobState.FAILED, refused.value.message)


async def test_a_job_that_was_imported_is_left_alone(jobs: Jobs) -> None:
    imported, _ = jobs.new(state=JobState.UNKNOWN, cml_job_id="elsewhere", run_id="r")
    await jobs.records.add(imported)
    other = await jobs.start('report("progress", step=1)')
    async with jobs.watched(jobs.watch(grace=timedelta(0))):
        await jobs.ended(other)
    assert jobs.records.one(id=imported.id).state == JobState.UNKNOWN


async def test_a_job_that_is_removed_while_it_starts_does_not_run_on(jobs: Jobs) -> None:
    job, spec = jobs.new("import time; time.sleep(600)")
    starting = asyncio.create_task(jobs.lifecycle.start(job, spec))
    while jobs.records.one(id=job.id) is None:  # noqa: ASYNC110 - the very next turn of the loop
        await asyncio.sleep(0)
    await jobs.records.remove(id=job.id)
    with pytest.raises(Aborted, match="was removed while it was being started"):
        await starting
    assert await jobs.workspace.find_job(job.id) is None


async def test_a_job_whose_start_was_cut_off_is_removed_from_the_workspace(jobs: Jobs) -> None:
    job, spec = jobs.new("import time; time.sleep(600)")
    await jobs.records.add(job)
    await dispatch(jobs.workspace, spec)
    await jobs.lifecycle.remove(job.id)
    assert await jobs.workspace.find_job(job.id) is None
    assert jobs.records.one(id=job.id) is None
