"""Jobs that are tried again by themselves, each failure once."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from chassis.rpc.errors import FailedPrecondition
from chassis.store.records import now
from ft.enums import JobState
from jobs.failures import LONGEST_PAUSE, Failure, Retries, pause_after
from jobs.testing import until
from jobs.tests.scripted import NO_TIME, SLEEP, Jobs
from jobs.tests.tables import status_of

ATTEMPT = """
attempt = int(os.environ.get("FTS_ATTEMPT", "1"))
report("progress", attempt=attempt, step=attempt)
"""
CRASHES_ONCE = ATTEMPT + "if attempt == 1: os.abort()"
CRASHED = Failure("CRASHED", "c", "workspace")
LONG = timedelta(hours=1)
USER_ERROR = (
    ATTEMPT
    + """
report("failed", attempt=attempt, kind="USER_ERROR", reason="no such column")
sys.exit(1)
"""
)


def policy(max_attempts: int = 3, on: Sequence[str] = ("CRASHED", "LOST", "TIMED_OUT")) -> str:
    return Retries(max_attempts, tuple(on)).stored()


async def started(jobs: Jobs, code: str, **fields: Any) -> str:
    [job] = await jobs.lifecycle.start([jobs.new(code, retry=policy(**fields))])
    return str(job.id)


async def runs(jobs: Jobs, job: Any) -> int:
    return len(await jobs.workspace.runs(job.cml_job_id))


def moves(jobs: Jobs, id: str) -> list[tuple[str, str]]:
    """States and who moved the job there, but those that depend on when it is looked at."""
    events = jobs.records.log.events(id, 0, 100)
    return [(e.state, e.actor) for e in events if e.state and e.state != "RUNNING"]


async def test_crashed_job_is_retried(watched: Jobs) -> None:
    id = await started(watched, CRASHES_ONCE)
    job = await watched.ended(id)
    assert (job.state, job.attempt, job.step) == (JobState.SUCCEEDED, 2, 2)
    status = status_of(job)
    assert (status.failure_kind, status.failure_reason) == ("", "")
    assert (status.retry.max_attempts, status.retry.on[0]) == (3, "CRASHED")
    assert moves(watched, id) == [
        ("QUEUED", "user"),
        ("DISPATCHING", "studio"),
        ("SCHEDULED", "workspace"),
        ("FAILED", "workspace"),
        ("QUEUED", "studio"),
        ("DISPATCHING", "studio"),
        ("SCHEDULED", "workspace"),
        ("SUCCEEDED", "workspace"),
    ]
    causes = [event.cause for event in watched.records.log.events(id, 0, 100) if event.cause]
    assert causes == [
        "the job ended without saying why; its last line: "
        "[workbench] the script was ended by SIGABRT",
        "retried after CRASHED, attempt 2 of 3 in 0 s",
    ]
    assert await runs(watched, job) == 2


async def test_watch_shows_all_attempts_and_one_end(watched: Jobs) -> None:
    id = await started(watched, CRASHES_ONCE)
    told = [answer.event async for answer in watched.lifecycle.events.follow(id, 0)]
    assert [event.step for event in told if event.kind == "PROGRESS"] == [1, 2]
    assert told[-1].state == "SUCCEEDED"


async def test_attempts_are_limited(watched: Jobs) -> None:
    id = await started(watched, ATTEMPT + "os.abort()", max_attempts=3)
    job = await watched.ended(id)
    assert (job.state, job.attempt, job.failure_kind) == (JobState.FAILED, 3, "CRASHED")
    assert await runs(watched, job) == 3


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (USER_ERROR, "USER_ERROR"),
        (USER_ERROR.replace("USER_ERROR", "OUT_OF_MEMORY"), "OUT_OF_MEMORY"),
        (USER_ERROR.replace("USER_ERROR", "ERROR"), "ERROR"),
        ('log.write("CUDA out of memory.\\n"); os.abort()', "OUT_OF_MEMORY"),
    ],
)
async def test_failure_that_would_repeat_is_not_retried(
    watched: Jobs, code: str, kind: str
) -> None:
    job = await watched.ended(await started(watched, code))
    assert (job.state, job.attempt, job.failure_kind) == (JobState.FAILED, 1, kind)
    assert await runs(watched, job) == 1


async def test_error_is_retried_if_the_policy_says_so(watched: Jobs) -> None:
    code = USER_ERROR.replace("USER_ERROR", "ERROR")
    job = await watched.ended(await started(watched, code, max_attempts=2, on=["ERROR"]))
    assert (job.attempt, job.failure_reason) == (2, "no such column")


async def test_lost_job_is_retried(watched: Jobs) -> None:
    id = await started(watched, ATTEMPT + "if attempt == 1:" + SLEEP.replace("\n", " "))
    first = watched.records.one(id=id)
    await watched.workspace.delete_job(first.cml_job_id)
    job = await watched.ended(id)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)
    assert job.cml_job_id != first.cml_job_id
    assert len(watched.named(id)) == 1


async def test_cancelled_job_is_not_retried(jobs: Jobs) -> None:
    id = await started(jobs, ATTEMPT + "os.abort()")
    first = jobs.records.one(id=id)

    async def crashed() -> bool:
        run = await jobs.workspace.run(first.cml_job_id, first.run_id)
        return bool(run.finished_at)

    while not await crashed():  # noqa: ASYNC110 - it happens in another process
        await asyncio.sleep(0.02)
    await jobs.lifecycle.cancel(id, "no longer wanted")
    async with jobs.watched(jobs.reconciler):
        job = await jobs.ended(id)
    assert (job.state, job.attempt) == (JobState.FAILED, 1)


async def test_job_without_a_policy_is_not_retried(watched: Jobs) -> None:
    job = await watched.ended(await watched.start(ATTEMPT + "os.abort()"))
    assert (job.state, job.attempt, job.failure_kind) == (JobState.FAILED, 1, "CRASHED")
    assert not status_of(job).HasField("retry")


async def test_failure_seen_by_two_is_followed_by_one_attempt(jobs: Jobs) -> None:
    id = await started(jobs, ATTEMPT)
    job = jobs.records.one(id=id)
    both = [jobs.records.retry(job, JobState.FAILED, CRASHED, NO_TIME) for _ in range(2)]
    assert sorted(await asyncio.gather(*both)) == [False, True]
    queued = jobs.records.one(id=id)
    assert (queued.state, queued.attempt, queued.run_id) == (JobState.QUEUED, 2, None)


async def test_attempt_that_was_queued_by_a_studio_that_died_is_carried_on(jobs: Jobs) -> None:
    id = await started(jobs, CRASHES_ONCE)
    first = jobs.records.one(id=id)
    await jobs.records.retry(first, JobState.FAILED, CRASHED, NO_TIME)
    async with jobs.watched(jobs.reconciles()):
        job = await jobs.ended(id)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)
    assert await runs(jobs, job) == 2


async def paused(jobs: Jobs) -> Any:
    """A job that waits for its second attempt."""
    id = await started(jobs, CRASHES_ONCE)
    async with jobs.watched(jobs.reconciles(first_pause=LONG)):
        await until("it has crashed", lambda: jobs.records.one(id=id).attempt == 2)
    return jobs.records.one(id=id)


async def test_attempt_waits_also_across_a_restart_of_the_studio(jobs: Jobs) -> None:
    job = await paused(jobs)
    assert now() + LONG / 2 < job.not_before <= now() + LONG
    causes = [event.cause for event in jobs.records.log.events(job.id, 0, 100) if event.cause]
    assert causes[-1] == "retried after CRASHED, attempt 2 of 3 in 3600 s"
    # Another process, which looks at everything at once, leaves it where it is.
    async with jobs.watched(jobs.reconciles(untouched=NO_TIME)):
        await jobs.ended(await jobs.start(""))
        assert jobs.records.one(id=job.id) == job
        await jobs.records.change(job.id, not_before=now())
        ended = await jobs.ended(job.id)
    assert (ended.state, ended.attempt) == (JobState.SUCCEEDED, 2)


async def test_job_that_is_cancelled_while_it_waits_ends_at_once(jobs: Jobs) -> None:
    job = await paused(jobs)
    async with jobs.watched(jobs.reconciler):
        await jobs.lifecycle.cancel(job.id, "no longer wanted")
        ended = await jobs.ended(job.id)
    assert (ended.state, ended.attempt) == (JobState.STOPPED, 2)
    resumed = await jobs.lifecycle.resume(job.id)
    assert resumed.not_before is None


def test_pauses_are_twice_as_long_each_time_up_to_a_limit() -> None:
    first = timedelta(seconds=10)
    pauses = [pause_after(attempt, first).total_seconds() for attempt in range(1, 10)]
    assert pauses == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert pause_after(1, 2 * LONGEST_PAUSE) == 2 * LONGEST_PAUSE


async def test_last_lines_that_matter_are_the_reason(watched: Jobs) -> None:
    id = await watched.start("""
log.write("loading\\n\\n")
import traceback
try:
    json.loads("{")
except ValueError:
    log.write(traceback.format_exc())
log.write("  giving up\\n\\n")
os.abort()
""")
    reason = (await watched.ended(id)).failure_reason
    begin = (
        "the job ended without saying why; its last lines: loading | json.decoder.JSONDecodeError: "
    )
    assert reason.startswith(begin)
    assert reason.endswith(" | giving up | [workbench] the script was ended by SIGABRT")
    assert "File" not in reason


async def test_signal_that_has_killed_a_job_is_in_the_reason(watched: Jobs) -> None:
    job = await watched.ended(await watched.start("os.kill(os.getpid(), 9)"))
    assert job.failure_kind == "CRASHED"
    assert job.failure_reason.endswith(
        "[workbench] the script was ended by SIGKILL, as happens where memory runs out"
    )


async def test_refused_job_says_so(jobs: Jobs) -> None:
    job = jobs.new(template="None", retry=policy())
    with pytest.raises(FailedPrecondition, match="no template job"):
        await jobs.lifecycle.start([job])
    kept = jobs.records.one(id=job.id)
    assert (kept.state, kept.failure_kind) == (JobState.FAILED, "REFUSED")
    async with jobs.watched(jobs.reconciler):
        other = await jobs.start("")
        await until("another ends", lambda: JobState(jobs.records.one(id=other).state).ended)
    assert jobs.records.one(id=job.id).attempt == 1
