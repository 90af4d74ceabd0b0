"""Jobs are started, cancelled, removed and resumed, and leave nothing behind in the workspace."""

import asyncio
import socket

import pytest

from chassis.rpc.domain_request import RequestKey
from chassis.rpc.errors import Aborted, FailedPrecondition, InvalidArgument, Refusal, Unavailable
from chassis.store.records import now
from ft.enums import JobState
from jobs.execution.dispatch import JobDispatcher
from jobs.testing import until
from jobs.tests.scripted import SLEEP, Jobs
from jobs.workspace.client import Workspace


async def test_refused_start_is_in_the_record(jobs: Jobs) -> None:
    job = jobs.new(template="None")
    with pytest.raises(Refusal) as refused:
        await jobs.lifecycle.start([job])
    kept = jobs.records.one(id=job.id)
    assert (kept.state, kept.failure_reason) == (JobState.FAILED, refused.value.message)


async def test_jobs_of_one_request_are_started_all_or_none(watched: Jobs) -> None:
    refused, fine = watched.new(template="None"), watched.new(SLEEP)
    with pytest.raises(Refusal):
        await watched.lifecycle.start([refused, fine])
    stopped = await watched.ended(fine.id)
    assert stopped.state == JobState.STOPPED
    assert stopped.failure_reason.startswith("stopped by the studio: another job")
    asked_again = watched.new(SLEEP, request_id="r", request_digest="d")
    with pytest.raises(Refusal):
        await watched.lifecycle.start([asked_again, watched.new(template="None")])
    assert not JobState(watched.records.one(id=asked_again.id).state).ended


async def test_job_that_is_removed_while_it_starts_does_not_run_on(jobs: Jobs) -> None:
    job = jobs.new(SLEEP)
    starting = asyncio.create_task(jobs.lifecycle.start([job]))
    while jobs.records.one(id=job.id) is None:  # noqa: ASYNC110 - the very next turn of the loop
        await asyncio.sleep(0)
    await jobs.records.remove(id=job.id)
    with pytest.raises(Aborted, match="was removed while it was being started"):
        await starting
    assert await jobs.workspace.find_job(job.id) is None


async def test_job_whose_start_was_cut_off_is_removed_from_the_workspace(jobs: Jobs) -> None:
    job = jobs.new(SLEEP)
    await jobs.records.begin([job])
    await JobDispatcher(jobs.records, jobs.workspace, {}).carry(job.id)
    await jobs.records.change(
        job.id, state=JobState.DISPATCHING, cml_job_id=None, run_id=None, sent_at=now()
    )
    await jobs.lifecycle.remove(job.id)
    assert await jobs.workspace.find_job(job.id) is None
    assert jobs.records.one(id=job.id) is None


async def test_late_workspace_job_of_a_removed_job_is_deleted(jobs: Jobs) -> None:
    job = jobs.new(SLEEP)
    await jobs.records.begin([job])
    await jobs.records.mark_sent(job.id)
    await jobs.lifecycle.remove(job.id)
    landed = await jobs.land(job)
    async with jobs.watched(jobs.reconciler):
        await until("it is gone", lambda: not jobs.named(job.id))
        await until("and forgotten", lambda: not jobs.records.log.removed())
    assert landed not in [one.id for one in jobs.workbench.jobs()]


async def test_job_removed_during_its_dispatch_is_looked_for(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = jobs.new()
    await jobs.records.begin([job])
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("CDSW_API_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/api/v2")
        dispatcher = JobDispatcher(jobs.records, Workspace(0.2), {})
        carrying = asyncio.create_task(dispatcher.carry(job.id))
        await until("it is carried", lambda: job.id in dispatcher.in_hand)
        await jobs.records.forget(job.id)
        assert not jobs.records.log.removed()
        with pytest.raises(Unavailable):
            await carrying
    assert [note.job_id for note in jobs.records.log.removed()] == [job.id]


async def test_start_waits_for_a_workspace_that_restarts(jobs: Jobs) -> None:
    jobs.workbench.kill()
    starting = asyncio.create_task(jobs.lifecycle.start([jobs.new()]))
    await until("it is recorded", lambda: jobs.records.all())
    jobs.workbench.start()
    [job] = await starting
    assert job.state == JobState.SCHEDULED
    assert len(jobs.named(job.id)) == 1


async def test_cancelled_job_stops(watched: Jobs) -> None:
    id = await watched.start('report("progress", step=1)' + SLEEP)
    await until("it runs", lambda: watched.records.one(id=id).state == JobState.RUNNING)
    stopping = await watched.lifecycle.cancel(id, "no longer wanted")
    assert stopping.state == JobState.STOPPING
    job = await watched.ended(id)
    said = "stopped by a user: no longer wanted"
    assert (job.state, job.failure_reason) == (JobState.STOPPED, said)
    moves = [(e.state, e.cause, e.actor) for e in watched.records.log.events(id, 0, 100) if e.state]
    assert ("STOPPING", "no longer wanted", "user") in moves
    assert [state for state, *_ in moves][-1] == "STOPPED"
    again = await watched.lifecycle.cancel(id, "again")
    assert (again.state, again.failure_reason) == (JobState.STOPPED, said)
    # Why the one attempt was stopped says nothing of the next.
    assert (await watched.lifecycle.resume(id)).failure_reason is None
    await until("it runs", lambda: watched.records.one(id=id).state == JobState.RUNNING)
    job = watched.records.one(id=id)
    await watched.workspace.stop_run(job.cml_job_id, job.run_id)
    assert (await watched.ended(id)).failure_reason == "stopped in the workspace"


async def test_job_that_is_cancelled_before_it_was_created_is_never_created(jobs: Jobs) -> None:
    job = jobs.new(SLEEP)
    await jobs.records.begin([job])
    await jobs.records.mark_sent(job.id)
    await jobs.lifecycle.cancel(job.id, "")
    await jobs.land(job)
    async with jobs.watched(jobs.reconciler):
        ended = await jobs.ended(job.id)
    assert (ended.state, ended.failure_reason) == (JobState.STOPPED, "stopped by a user")
    assert not jobs.named(job.id)


async def test_repeated_request_is_found(watched: Jobs) -> None:
    job = watched.new(request_id="r-1", request_digest="d")
    await watched.lifecycle.start([job])
    [found] = watched.lifecycle.started_by(RequestKey("r-1", "d"))
    assert found.id == job.id
    with pytest.raises(InvalidArgument, match="was used by another request"):
        watched.lifecycle.started_by(RequestKey("r-1", "another"))
    # Sent twice at the same time, so that neither has found the other before.
    [again] = await watched.lifecycle.start([watched.new(request_id="r-1", request_digest="d")])
    assert again.id == job.id
    assert not watched.lifecycle.started_by(RequestKey("", "d"))


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


async def test_lost_job_is_created_again(watched: Jobs) -> None:
    id = await watched.start(SLEEP)
    lost = watched.records.one(id=id)
    await watched.workspace.delete_job(lost.cml_job_id)
    assert (await watched.ended(id)).state == JobState.LOST
    again = await watched.lifecycle.resume(id)
    assert again.state == JobState.SCHEDULED
    assert again.cml_job_id != lost.cml_job_id
