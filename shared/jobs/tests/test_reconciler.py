"""Records follow what real runs do and report."""

import json
from datetime import timedelta

from chassis.store.records import now
from ft.enums import JobState
from jobs.execution.dispatch import JobDispatcher
from jobs.execution.job_folder import MORE_NOTICES
from jobs.failures import Retries
from jobs.store.history import NOTICE
from jobs.testing import until
from jobs.tests.scripted import SLEEP, Jobs
from jobs.tests.tables import status_of


async def test_successful_job_keeps_all_that_it_reports(watched: Jobs) -> None:
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
    status = status_of(job)
    assert status.notices == ["fp16 is left out"]
    assert (status.failure_reason, status.started_at[-1]) == ("", "Z")


async def test_failed_job_keeps_its_reason(watched: Jobs) -> None:
    id = await watched.start('report("failed", reason="the model is no model"); sys.exit(1)')
    job = await watched.ended(id)
    assert (job.state, job.failure_reason) == (JobState.FAILED, "the model is no model")


async def test_job_that_fails_without_a_word_is_explained_by_its_log(watched: Jobs) -> None:
    id = await watched.start('log.write("step 1\\nKilled: out of memory\\n"); sys.exit(1)')
    job = await watched.ended(id)
    assert job.state == JobState.FAILED
    assert "its last lines: step 1 | Killed: out of memory" in job.failure_reason


async def test_job_that_leaves_nothing_fails_with_a_reason(watched: Jobs) -> None:
    job = await watched.ended(await watched.start("sys.exit(3)"))
    assert job.failure_reason.endswith("the script ended with exit status 3")


async def test_invalid_report_harms_no_job(watched: Jobs) -> None:
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


async def test_report_that_is_too_long_is_cut(watched: Jobs) -> None:
    id = await watched.start("""
for number in range(200):
    report("notice", message=f"{number} " + "x" * 5_000)
report("failed", reason="no\\0 " + "y" * 100_000)
sys.exit(1)
""")
    job = await watched.ended(id)
    *notices, last = json.loads(job.notices)
    assert [len(notice) for notice in notices] == [2_000] * 50
    assert last == MORE_NOTICES
    assert job.failure_reason.startswith("no yyy")
    assert len(job.failure_reason) == 2_000


async def test_job_stopped_in_the_workspace_is_cancelled(watched: Jobs) -> None:
    id = await watched.start('report("progress", step=1); import time; time.sleep(600)')
    await until("it runs", lambda: watched.records.one(id=id).state == JobState.RUNNING)
    job = watched.records.one(id=id)
    await watched.workspace.stop_run(job.cml_job_id, job.run_id)
    job = await watched.ended(id)
    assert (job.state, job.failure_reason) == (JobState.STOPPED, "stopped in the workspace")


async def test_job_that_vanishes_from_the_workspace_is_lost(watched: Jobs) -> None:
    id = await watched.start("import time; time.sleep(600)")
    await watched.workspace.delete_job(watched.records.one(id=id).cml_job_id)
    job = await watched.ended(id)
    assert job.state == JobState.LOST
    assert job.failure_reason == "the workspace no longer knows the job"


async def test_start_that_was_cut_off_is_carried_on(jobs: Jobs) -> None:
    job = jobs.new('report("progress", step=3)')
    await jobs.records.begin([job])
    async with jobs.watched(jobs.reconciler):
        ended = await jobs.ended(job.id)
    assert (ended.state, ended.step) == (JobState.SUCCEEDED, 3)
    assert len(jobs.named(job.id)) == 1


async def test_workspace_job_of_a_lost_answer_is_adopted(jobs: Jobs) -> None:
    job = jobs.new('report("progress", step=3)')
    await jobs.records.begin([job])
    other = JobDispatcher(jobs.records, jobs.workspace, {})
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


async def test_start_under_way_is_left_to_whoever_carries_it(jobs: Jobs) -> None:
    job = jobs.new()
    await jobs.records.begin([job])
    other = await jobs.start('report("progress", step=1)')
    async with jobs.watched(jobs.reconciles(untouched=timedelta(seconds=60))):
        await jobs.ended(other)
        assert jobs.records.one(id=job.id).state == JobState.QUEUED


async def test_new_reconciler_takes_a_job_over_without_doubling_it(jobs: Jobs) -> None:
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


async def test_job_that_was_imported_is_left_alone(jobs: Jobs) -> None:
    imported = jobs.new(state=JobState.UNKNOWN, cml_job_id="elsewhere", run_id="r")
    await jobs.records.add(imported)
    other = await jobs.start('report("progress", step=1)')
    async with jobs.watched(jobs.reconciler):
        await jobs.ended(other)
    assert jobs.records.one(id=imported.id).state == JobState.UNKNOWN


async def test_late_workspace_job_of_a_lost_job_is_deleted(jobs: Jobs) -> None:
    job = jobs.new(SLEEP)
    await jobs.records.begin([job])
    await jobs.records.mark_sent(job.id)
    await jobs.records.move(job.id, JobState.FAILED, cause="the workspace is away")
    await jobs.land(job)
    async with jobs.watched(jobs.reconciler):
        await until("it is gone", lambda: not jobs.named(job.id))
        await until("and settled", lambda: not jobs.records.unsettled())
    assert jobs.records.one(id=job.id).state == JobState.FAILED


async def test_transitions_are_in_the_history_once(watched: Jobs) -> None:
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


async def test_run_that_has_the_claim_is_the_one_that_counts(jobs: Jobs) -> None:
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


async def test_notice_is_an_event_once_with_its_attempt(watched: Jobs) -> None:
    script = """
report("notice", attempt=ATTEMPT, message="fp16 is replaced")
report("notice", attempt=ATTEMPT, message="fp16 is replaced")
report("notice", attempt=ATTEMPT, message=f"only attempt {ATTEMPT}")
if ATTEMPT == 1: sys.exit(3)
"""
    attempt = 'ATTEMPT = int(os.environ.get("FTS_ATTEMPT", "1"))\n'
    new = watched.new(attempt + script, retry=Retries(2, ("CRASHED",)).stored())
    [job] = await watched.lifecycle.start([new])
    id = job.id
    await watched.ended(id)
    told = [e.message() for e in watched.records.log.events(id, 0, 1000) if e.kind == NOTICE]
    assert [(event.notice, event.attempt) for event in told] == [
        ("fp16 is replaced", 1),
        ("only attempt 1", 1),
        ("only attempt 2", 2),
    ]
    status = status_of(watched.records.one(id=id))
    assert list(status.notices) == [event.notice for event in told]
