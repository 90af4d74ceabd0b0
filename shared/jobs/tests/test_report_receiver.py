"""What jobs report counts once, by whichever way it comes, and only from the job itself."""

import asyncio
import json
import time
from typing import Any

import pytest

from chassis.rpc.errors import InvalidArgument, Unauthenticated
from ft.enums import JobState
from ft.job_protocol.reports import MAX_REPORT_BYTES
from jobs.execution.observer import Observer
from jobs.execution.report_receiver import (
    TOKEN_SECONDS,
    ReportReceiver,
    digest,
    new_token,
)
from jobs.store.history import PROGRESS
from jobs.store.records import JobRecords
from jobs.testing import until
from jobs.tests.scripted import SLEEP, Jobs
from jobs.workspace.client import Workspace

TOKEN = new_token()


class Reports:
    """A recorded job under way, and what receives its reports."""

    def __init__(self, records: JobRecords[Any], project: Any) -> None:
        observer = Observer(records, Workspace(), project, Jobs.reported)
        self.records = records
        self.receiver = ReportReceiver(records, observer)

    async def record(self, **fields: Any) -> str:
        given = {"state": JobState.RUNNING, "run_id": "r", "token_hash": digest(TOKEN), **fields}
        await self.records.add(self.records.kind(id="j", **given))
        return "j"

    def steps(self, id: str) -> list[int]:
        events = self.records.log.events(id, 0, 1000)
        return [json.loads(e.progress or "")["step"] for e in events if e.kind == PROGRESS]


@pytest.fixture
def reports(records: JobRecords[Any], tmp_path: Any) -> Reports:
    return Reports(records, tmp_path)


def lines(*steps: int) -> bytes:
    return b"".join(b'{"event": "progress", "step": %d}\n' % step for step in steps)


async def token_of(jobs: Jobs, id: str) -> str:
    """The token that the job's last run has got, as the run sees it."""
    job = jobs.records.one(id=id)
    runs = await jobs.workspace.runs(job.cml_job_id)
    [environment] = [json.loads(run.environment) for run in runs if run.id == job.run_id]
    assert environment["FTS_JOB_ID"] == id
    return str(environment["FTS_JOB_TOKEN"])


async def test_same_report_counts_once(reports: Reports) -> None:
    id = await reports.record()
    end = len(lines(1, 2))
    for _ in range(2):
        assert await reports.receiver.report(id, TOKEN, 0, lines(1, 2)) == end
    assert await reports.receiver.report(id, TOKEN, 0, lines(1, 2, 3)) == end + len(lines(3))
    assert reports.steps(id) == [2, 3]


async def test_same_report_sent_at_the_same_time_counts_once(reports: Reports) -> None:
    id = await reports.record()
    sent = [reports.receiver.report(id, TOKEN, 0, lines(1)) for _ in range(8)]
    assert set(await asyncio.gather(*sent)) == {len(lines(1))}
    assert reports.steps(id) == [1]


async def test_missing_part_is_requested(reports: Reports) -> None:
    id = await reports.record()
    assert await reports.receiver.report(id, TOKEN, 7, lines(2)) == 0
    assert await reports.receiver.report(id, TOKEN, 0, b'{"event": "pro') == 0
    assert await reports.receiver.report(id, TOKEN, 0, b"") == 0
    assert reports.steps(id) == []


async def test_invalid_lines_are_skipped(reports: Reports) -> None:
    id = await reports.record()
    nonsense = b'\xff\n[]\n{"event": "best", "best": {}}\n{"event": "best", "best": "a\\u0000"}\n'
    assert await reports.receiver.report(id, TOKEN, 0, nonsense) == len(nonsense)
    await reports.receiver.report(id, TOKEN, len(nonsense), lines(4))
    job = reports.records.one(id=id)
    assert (job.step, job.best) == (4, None)


@pytest.mark.parametrize(
    ("offset", "data", "field"), [(-1, b"", "offset"), (0, b"x" * (MAX_REPORT_BYTES + 1), "data")]
)
async def test_invalid_report_changes_nothing(
    reports: Reports, offset: int, data: bytes, field: str
) -> None:
    id = await reports.record()
    with pytest.raises(InvalidArgument) as refused:
        await reports.receiver.report(id, TOKEN, offset, data)
    assert [violation.field for violation in refused.value.violations] == [field]
    assert reports.records.one(id=id).reported_offset is None


async def test_token_is_valid_for_its_job_only(reports: Reports) -> None:
    id = await reports.record()
    said = set()
    for other, token in (("unknown", TOKEN), (id, new_token()), (id, ""), (id, digest(TOKEN))):
        with pytest.raises(Unauthenticated) as refused:
            await reports.receiver.report(other, token, 0, lines(1))
        said.add(refused.value.message)
    assert len(said) == 1
    assert reports.steps(id) == []


async def test_token_of_an_ended_job_is_refused(reports: Reports) -> None:
    id = await reports.record(state=JobState.STOPPED)
    with pytest.raises(Unauthenticated):
        await reports.receiver.report(id, TOKEN, 0, lines(1))


async def test_token_expires(reports: Reports) -> None:
    old = f"{int(time.time()) - TOKEN_SECONDS - 1}.random"
    id = await reports.record(token_hash=digest(old))
    with pytest.raises(Unauthenticated):
        await reports.receiver.report(id, old, 0, lines(1))


async def test_link_and_folder_count_once_together(watched: Jobs) -> None:
    receiver = ReportReceiver(
        watched.records,
        Observer(watched.records, watched.workspace, watched.project, Jobs.reported),
    )
    id = await watched.start("""
report("progress", step=1)
import time
while not os.path.exists(folder + "/go"): time.sleep(0.02)
report("progress", step=2)
report("progress", step=3)
""")
    await until("the folder is read", lambda: watched.records.one(id=id).step)
    file = watched.project / f"outputs/{id}/events.jsonl"
    read, token = file.read_bytes(), await token_of(watched, id)
    assert await receiver.report(id, token, 0, read) == len(read)
    assert await receiver.report(id, token, len(read), lines(2)) == len(read + lines(2))
    (file.parent / "go").touch()
    job = await watched.ended(id)
    assert (job.state, file.read_bytes()) == (JobState.SUCCEEDED, read + lines(2, 3))
    assert Reports(watched.records, watched.project).steps(id) == [1, 2, 3]


async def test_attempts_have_tokens_of_their_own(watched: Jobs) -> None:
    receiver = ReportReceiver(
        watched.records,
        Observer(watched.records, watched.workspace, watched.project, Jobs.reported),
    )
    id = await watched.start(SLEEP)
    first = await token_of(watched, id)
    await watched.lifecycle.cancel(id, "")
    await watched.ended(id)
    await watched.lifecycle.resume(id)
    second = await token_of(watched, id)
    assert await receiver.report(id, second, 0, b"") == 0
    with pytest.raises(Unauthenticated):
        await receiver.report(id, first, 0, b"")


async def test_run_created_by_a_lost_answer_has_a_valid_token(jobs: Jobs) -> None:
    receiver = ReportReceiver(
        jobs.records, Observer(jobs.records, jobs.workspace, jobs.project, Jobs.reported)
    )
    id = await jobs.start(SLEEP)
    await jobs.records.change(id, state=JobState.DISPATCHING, run_id=None)
    await jobs.records.mark_sent(id)
    async with jobs.watched(jobs.reconciler):
        await until("it is adopted", lambda: jobs.records.one(id=id).run_id)
    assert await receiver.report(id, await token_of(jobs, id), 0, lines(1)) == len(lines(1))
