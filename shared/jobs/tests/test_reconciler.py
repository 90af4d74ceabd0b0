"""Records follow what real runs do and report."""

import asyncio
import json
import socket
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from chassis.errors import Aborted, FailedPrecondition, InvalidArgument, Refusal, Unavailable
from chassis.records import now
from ft.enums import JobState
from jobs.dispatch import Dispatcher, JobSpec
from jobs.lease import Lease
from jobs.lifecycle import JobLifecycle
from jobs.observer import Observer
from jobs.reconciler import Reconciler
from jobs.records import JobRecord, JobRecords
from jobs.testing import Workbench, until
from jobs.tests.conftest import SomeLease
from jobs.workspace import Workspace

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

    def __init__(self, records: JobRecords[Any], workbench: Workbench) -> None:
        self.records = records
        self.workbench = workbench
        self.workspace = Workspace()
        self.project = workbench.project
        self.dispatcher = Dispatcher(records, self.workspace, {}, late=SOON)
        self.reconciler = self.reconciles()

    def reconciles(
        self, untouched: timedelta = SOON, first_pause: timedelta = NO_TIME
    ) -> Reconciler[Any]:
        observer = Observer(
            self.records, self.workspace, self.project, self.reported, SOON, first_pause
        )
        lease = Lease(self.records.store, SomeLease)
        return Reconciler(self.records, self.workspace, self.dispatcher, observer, lease, untouched)

    @staticmethod
    def reported(
        _job: JobRecord, event: Mapping[str, Any], _changes: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {"best": event["best"]} if event.get("event") == "best" else {}

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


@pytest.fixture
async def jobs(records: JobRecords[Any], in_workspace: Workbench) -> Jobs:
    return Jobs(records, in_workspace)


@pytest.fixture
async def watched(jobs: Jobs) -> AsyncIterator[Jobs]:
    async with jobs.watched(jobs.reconciler):
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
    assert job.failure_reason.endswith("its last lines: step 1 | Killed: out of memory")


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
    assert job.state == JobState.LOST
    assert job.failure_reason == "the workspace no longer knows the job"


async def test_a_start_that_was_cut_off_is_carried_on(jobs: Jobs) -> None:
    job = jobs.new('report("progress", step=3)')
    await jobs.records.begin([job])
    async with jobs.watched(jobs.reconciler):
        ended = await jobs.ended(job.id)
    assert (ended.state, ended.step) == (JobState.SUCCEEDED, 3)
    assert len(jobs.named(job.id)) == 1


async def test_what_a_lost_answer_has_created_is_adopted(jobs: Jobs) -> None:
    job = jobs.new('report("progress", step=3)')
    await jobs.records.begin([job])
    other = Dispatcher(jobs.records, jobs.workspace, {})
    await other.carry(job.id)
    carried = jobs.records.one(id=job.id)
    assert carried.state == JobState.SCHEDULED
    # As if neither answer had come.
    await jobs.records.change(
        job.id, state=JobState.DISPATCHING, cml_job_id=None, run_id=None, sent_at=now()
    )
    async with jobs.watched(jobs.reconciler):
        ended = await jobs.ended(job.id)
    assert (ended.cml_job_id, ended.run_id) == (carried.cml_job_id, carried.run_id)
    assert len(jobs.named(job.id)) == 1
    assert len(await jobs.workspace.runs(ended.cml_job_id)) == 1


async def test_a_start_under_way_is_left_to_whoever_carries_it(jobs: Jobs) -> None:
    job = jobs.new()
    await jobs.records.begin([job])
    other = await jobs.start('report("progress", step=1)')
    async with jobs.watched(jobs.reconciles(untouched=timedelta(seconds=60))):
        await jobs.ended(other)
        assert jobs.records.one(id=job.id).state == JobState.QUEUED


async def test_a_new_reconciler_takes_a_job_over_without_doubling_it(jobs: Jobs) -> None:
    id = await jobs.start("""
report("notice", message="one")
report("progress", step=1)
import time
while not os.path.exists(folder + "/go"): time.sleep(0.02)
report("notice", message="two")
""")
    async with jobs.watched(jobs.reconciles()):
        await until("the first part is read", lambda: jobs.records.one(id=id).step)
    async with jobs.watched(jobs.reconciles()):
        (jobs.project / f"outputs/{id}/go").touch()
        job = await jobs.ended(id)
    assert json.loads(job.notices) == ["one", "two"]


async def test_a_refused_start_is_in_the_record(jobs: Jobs) -> None:
    job = jobs.new(template="None")
    with pytest.raises(Refusal) as refused:
        await jobs.lifecycle.start([job])
    kept = jobs.records.one(id=job.id)
    assert (kept.state, kept.failure_reason) == (JobState.FAILED, refused.value.message)


async def test_jobs_of_one_request_are_started_all_or_none(watched: Jobs) -> None:
    refused, fine = watched.new(template="None"), watched.new(SLEEP)
    with pytest.raises(Refusal):
        await watched.lifecycle.start([refused, fine])
    assert (await watched.ended(fine.id)).state == JobState.STOPPED
    asked_again = watched.new(SLEEP, request_id="r", request_digest="d")
    with pytest.raises(Refusal):
        await watched.lifecycle.start([asked_again, watched.new(template="None")])
    assert not JobState(watched.records.one(id=asked_again.id).state).ended


async def test_a_job_that_was_imported_is_left_alone(jobs: Jobs) -> None:
    imported = jobs.new(state=JobState.UNKNOWN, cml_job_id="elsewhere", run_id="r")
    await jobs.records.add(imported)
    other = await jobs.start('report("progress", step=1)')
    async with jobs.watched(jobs.reconciler):
        await jobs.ended(other)
    assert jobs.records.one(id=imported.id).state == JobState.UNKNOWN


async def test_a_job_that_is_removed_while_it_starts_does_not_run_on(jobs: Jobs) -> None:
    job = jobs.new(SLEEP)
    starting = asyncio.create_task(jobs.lifecycle.start([job]))
    while jobs.records.one(id=job.id) is None:  # noqa: ASYNC110 - the very next turn of the loop
        await asyncio.sleep(0)
    await jobs.records.remove(id=job.id)
    with pytest.raises(Aborted, match="was removed while it was being started"):
        await starting
    assert await jobs.workspace.find_job(job.id) is None


async def test_a_job_whose_start_was_cut_off_is_removed_from_the_workspace(jobs: Jobs) -> None:
    job = jobs.new(SLEEP)
    await jobs.records.begin([job])
    await Dispatcher(jobs.records, jobs.workspace, {}).carry(job.id)
    await jobs.records.change(
        job.id, state=JobState.DISPATCHING, cml_job_id=None, run_id=None, sent_at=now()
    )
    await jobs.lifecycle.remove(job.id)
    assert await jobs.workspace.find_job(job.id) is None
    assert jobs.records.one(id=job.id) is None


async def test_what_lands_after_a_job_was_removed_is_taken_out_again(jobs: Jobs) -> None:
    job = jobs.new(SLEEP)
    await jobs.records.begin([job])
    await jobs.records.mark_sent(job.id)
    await jobs.lifecycle.remove(job.id)
    landed = await jobs.land(job)
    async with jobs.watched(jobs.reconciler):
        await until("it is gone", lambda: not jobs.named(job.id))
        await until("and forgotten", lambda: not jobs.records.removed())
    assert landed not in [one.id for one in jobs.workbench.jobs()]


async def test_a_job_that_is_removed_while_it_is_carried_on_is_looked_for(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = jobs.new()
    await jobs.records.begin([job])
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("CDSW_API_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/api/v2")
        dispatcher = Dispatcher(jobs.records, Workspace(0.2), {})
        carrying = asyncio.create_task(dispatcher.carry(job.id))
        await until("it is carried", lambda: job.id in dispatcher.in_hand)
        await jobs.records.forget(job.id)
        assert not jobs.records.removed()
        with pytest.raises(Unavailable):
            await carrying
    assert [note.job_id for note in jobs.records.removed()] == [job.id]


async def test_a_start_waits_for_a_workspace_that_is_being_started_anew(jobs: Jobs) -> None:
    jobs.workbench.kill()
    starting = asyncio.create_task(jobs.lifecycle.start([jobs.new()]))
    await until("it is recorded", lambda: jobs.records.all())
    jobs.workbench.start()
    [job] = await starting
    assert job.state == JobState.SCHEDULED
    assert len(jobs.named(job.id)) == 1


async def test_what_lands_after_a_job_was_given_up_is_taken_out_again(jobs: Jobs) -> None:
    job = jobs.new(SLEEP)
    await jobs.records.begin([job])
    await jobs.records.mark_sent(job.id)
    await jobs.records.move(job.id, JobState.FAILED, cause="the workspace is away")
    await jobs.land(job)
    async with jobs.watched(jobs.reconciler):
        await until("it is gone", lambda: not jobs.named(job.id))
        await until("and settled", lambda: not jobs.records.unsettled())
    assert jobs.records.one(id=job.id).state == JobState.FAILED


async def test_a_cancelled_job_stops(watched: Jobs) -> None:
    id = await watched.start('report("progress", step=1)' + SLEEP)
    await until("it runs", lambda: watched.records.one(id=id).state == JobState.RUNNING)
    stopping = await watched.lifecycle.cancel(id, "no longer wanted")
    assert stopping.state == JobState.STOPPING
    job = await watched.ended(id)
    assert (job.state, job.failure_reason) == (JobState.STOPPED, None)
    moves = [(e.state, e.cause, e.actor) for e in watched.records.events(id, 0, 100) if e.state]
    assert ("STOPPING", "no longer wanted", "user") in moves
    assert [state for state, *_ in moves][-1] == "STOPPED"
    again = await watched.lifecycle.cancel(id, "again")
    assert again.state == JobState.STOPPED


async def test_a_job_that_is_cancelled_before_it_was_created_is_never_created(jobs: Jobs) -> None:
    job = jobs.new(SLEEP)
    await jobs.records.begin([job])
    await jobs.records.mark_sent(job.id)
    await jobs.lifecycle.cancel(job.id, "")
    await jobs.land(job)
    async with jobs.watched(jobs.reconciler):
        ended = await jobs.ended(job.id)
    assert ended.state == JobState.STOPPED
    assert not jobs.named(job.id)


async def test_every_move_is_in_the_history_once(watched: Jobs) -> None:
    id = await watched.start('report("progress", step=1, total_steps=1, loss=0.5)')
    await watched.ended(id)
    told = [answer.event async for answer in watched.lifecycle.events.follow(id, 0)]
    states = [event.state for event in told if event.kind == "STATE"]
    assert states[:3] == ["QUEUED", "DISPATCHING", "SCHEDULED"]
    assert states[-1] == "SUCCEEDED"
    assert len(set(states)) == len(states)
    [progress] = [event for event in told if event.kind == "PROGRESS"]
    assert (progress.step, progress.loss, progress.actor) == (1, 0.5, "job")
    assert told == watched.lifecycle.events.list(id, 0, 0)
    middle = told[2].cursor
    assert [a.event async for a in watched.lifecycle.events.follow(id, middle)] == told[3:]


async def test_the_same_request_is_found_again(watched: Jobs) -> None:
    job = watched.new(request_id="r-1", request_digest="d")
    await watched.lifecycle.start([job])
    [found] = watched.lifecycle.started_before("r-1", "d")
    assert found.id == job.id
    with pytest.raises(InvalidArgument, match="came with another request"):
        watched.lifecycle.started_before("r-1", "another")
    # Sent twice at the same time, so that neither has found the other before.
    [again] = await watched.lifecycle.start([watched.new(request_id="r-1", request_digest="d")])
    assert again.id == job.id
    assert not watched.lifecycle.started_before("", "d")


async def test_the_run_that_has_the_claim_is_the_one_that_counts(jobs: Jobs) -> None:
    job = jobs.new("""
if not os.path.exists(folder + "/claim-1.json"):
    with open(folder + "/claim-1.json", "w") as claim:
        json.dump({"run": os.environ["CDSW_ENGINE_ID"]}, claim)
    import time
    while not os.path.exists(folder + "/go"): time.sleep(0.02)
    report("progress", step=9)
""")
    await jobs.records.begin([job])
    await jobs.dispatcher.carry(job.id)
    first = jobs.records.one(id=job.id)
    claim = jobs.project / f"outputs/{job.id}/claim-1.json"
    await until("it has the claim", claim.exists)
    # A request to start it that was taken for lost is served after all, and its run is recorded.
    second = await jobs.workspace.create_run(first.cml_job_id)
    await jobs.records.change(job.id, run_id=second.id)
    async with jobs.watched(jobs.reconciler):
        await until(
            "the worker is known", lambda: jobs.records.one(id=job.id).run_id == first.run_id
        )
        claim.with_name("go").touch()
        ended = await jobs.ended(job.id)
    assert (ended.state, ended.step) == (JobState.SUCCEEDED, 9)


async def test_another_attempt_is_another_run_of_the_same_job(watched: Jobs) -> None:
    id = await watched.start("""
attempt = int(os.environ.get("FTS_ATTEMPT", "1"))
report("progress", attempt=attempt, step=attempt)
if attempt == 1:
    report("failed", attempt=attempt, reason="out of luck")
    sys.exit(1)
""")
    first = await watched.ended(id)
    assert (first.state, first.failure_reason) == (JobState.FAILED, "out of luck")
    again = await watched.lifecycle.resume(id)
    assert (again.attempt, again.failure_reason, again.cml_job_id) == (2, None, first.cml_job_id)
    second = await watched.ended(id)
    assert (second.state, second.step, second.failure_reason) == (JobState.SUCCEEDED, 2, None)
    assert second.run_id != first.run_id
    assert len(await watched.workspace.runs(first.cml_job_id)) == 2
    with pytest.raises(FailedPrecondition, match="is SUCCEEDED and cannot be resumed"):
        await watched.lifecycle.resume(id)


async def test_a_lost_job_is_made_anew(watched: Jobs) -> None:
    id = await watched.start(SLEEP)
    lost = watched.records.one(id=id)
    await watched.workspace.delete_job(lost.cml_job_id)
    assert (await watched.ended(id)).state == JobState.LOST
    again = await watched.lifecycle.resume(id)
    assert again.state == JobState.SCHEDULED
    assert again.cml_job_id != lost.cml_job_id
