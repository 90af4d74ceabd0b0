"""Thousands of unfinished jobs share a bounded number of calls, and each has its turn."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert

from chassis.store.records import now
from ft.enums import JobState
from jobs.execution import reconciler as module
from jobs.execution.dispatch import JobDispatcher
from jobs.execution.lease import Lease
from jobs.execution.observer import Observer
from jobs.execution.reconciler import CALLS_PER_SECOND, JOBS_IN_A_ROUND, Reconciler
from jobs.execution.turns import Turn, take
from jobs.store.job_record import LONG_AGO
from jobs.store.records import JobRecords
from jobs.tests.tables import SomeJob, SomeLease


class CountingWorkspace:
    """A workspace in which all runs go on as they are."""

    def __init__(self) -> None:
        self.calls = 0
        self.asked: Counter[str] = Counter()

    async def run(self, job_id: str, _run_id: str) -> Any:
        self.calls += 1
        self.asked[job_id] += 1
        return SimpleNamespace(
            status="ENGINE_RUNNING", environment="{}", running_at=None, finished_at=None
        )

    async def find_job(self, name: str) -> None:
        self.calls += 1
        self.asked[name] += 1


def reconciles(
    records: JobRecords[Any], workspace: CountingWorkspace, folder: Path
) -> Reconciler[Any]:
    asked: Any = workspace
    dispatcher = JobDispatcher(records, asked, {})
    observer = Observer(records, asked, folder, lambda *_: {})
    return Reconciler(records, asked, dispatcher, observer, Lease(records.store, SomeLease))


async def fill(records: JobRecords[Any], state: JobState, ids: range, **more: Any) -> None:
    rows = [
        SomeJob(
            id=f"{state}-{n}", cml_job_id=f"{state}-{n}", run_id="r", state=state, **more
        ).values()
        for n in ids
    ]
    if rows:
        await records.store.write(lambda c: c.execute(insert(records.table), rows))


async def test_round_of_thousands_of_jobs_makes_few_calls_and_reads_few_rows(
    records: JobRecords[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(records, JobState.RUNNING, range(10_000), spec="x" * 500)
    workspace = CountingWorkspace()
    reconciler = reconciles(records, workspace, tmp_path)
    made = 0
    record = records.record

    def counted(row: Any) -> Any:
        nonlocal made
        made += 1
        return record(row)

    monkeypatch.setattr(records, "record", counted)
    for rounds in range(1, 21):
        await reconciler._reconcile()
        assert workspace.calls <= rounds * JOBS_IN_A_ROUND
    assert made <= 20 * JOBS_IN_A_ROUND
    assert set(workspace.asked) == {f"RUNNING-{n}" for n in range(20 * JOBS_IN_A_ROUND)}


async def test_calls_are_paid_for_by_pauses_however_often_it_is_woken(
    records: JobRecords[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(records, JobState.RUNNING, range(200))
    workspace = CountingWorkspace()
    reconciler = reconciles(records, workspace, tmp_path)
    paused: list[float] = []
    done = asyncio.Event()
    sleep = asyncio.sleep

    async def passed(seconds: float) -> None:
        paused.append(seconds)
        reconciler.wake()
        if len(paused) == 15:
            done.set()
        await sleep(0)

    monkeypatch.setattr(module.asyncio, "sleep", passed)
    task = asyncio.create_task(reconciler.run())
    await done.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert workspace.calls <= (sum(paused) + 1) * CALLS_PER_SECOND


async def test_job_of_a_small_state_does_not_wait_for_a_large_one(
    records: JobRecords[Any], tmp_path: Path
) -> None:
    await fill(records, JobState.SCHEDULED, range(300))
    await fill(records, JobState.STOPPING, range(1))
    await fill(records, JobState.FAILED, range(3), sent_at=LONG_AGO)
    workspace = CountingWorkspace()
    reconciler = reconciles(records, workspace, tmp_path)
    await reconciler._reconcile()
    assert workspace.asked["STOPPING-0"] == 1
    assert workspace.asked["FAILED-0"] == 1
    # The latest look at a job that is documented: four of ten places are always left for it.
    for _ in range(300 // 4):
        await reconciler._reconcile()
    looked = [workspace.asked[f"SCHEDULED-{n}"] for n in range(300)]
    assert min(looked) >= 1
    assert not records.unsettled()


async def test_jobs_that_wait_for_nothing_are_forgotten(
    records: JobRecords[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FORGOTTEN_AT_ONCE", 5)
    reconciler = reconciles(records, CountingWorkspace(), tmp_path)
    for generation in range(10):
        ids = range(20 * generation, 20 * generation + 20)
        await fill(records, JobState.QUEUED, ids, not_before=now() + timedelta(hours=1))
        for _ in range(2):
            await reconciler._reconcile()
        for n in ids:
            await records.move(f"QUEUED-{n}", JobState.FAILED)
    assert reconciler._waiting.count <= 2 * 20 + 5
    assert len(reconciler._pauses) <= 2 * 20 + 5


async def test_rounds_read_by_index(records: JobRecords[Any], tmp_path: Path) -> None:
    await fill(records, JobState.RUNNING, range(100))
    await fill(records, JobState.FAILED, range(1000))
    statements: list[tuple[str, Any]] = []
    engine = records.store._reader
    assert engine is not None

    @event.listens_for(engine, "before_cursor_execute")
    def _noted(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "LIMIT" in statement and "SELECT" in statement and parameters[0] != "lease":
            statements.append((statement, parameters))

    await reconciles(records, CountingWorkspace(), tmp_path)._reconcile()
    plans = {
        row[3]
        for statement, parameters in list(statements)
        for row in records.store.read(
            lambda c, s=statement, p=parameters: c.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {s}", p
            ).all()
        )
    }
    searches = {plan for plan in plans if plan.startswith("SEARCH") and "INDEX" in plan}
    assert plans == searches
    assert any("unsettled" in plan for plan in plans)
    assert any("removed" in plan for plan in plans)


@settings(deadline=None)
@given(sizes=st.lists(st.integers(0, 12), min_size=1, max_size=5), more=st.integers(0, 5))
def test_every_row_comes_before_any_comes_again(sizes: list[int], more: int) -> None:
    rows = [
        [SimpleNamespace(seq=n, of=k) for n in range(1, size + 1)] for k, size in enumerate(sizes)
    ]

    def found(k: int) -> Any:
        return lambda after, limit: [row for row in rows[k] if row.seq > after][:limit]

    turns: list[Turn[Any]] = [Turn(found(k)) for k in range(len(sizes))]
    most = len(sizes) + more
    taken: list[list[int]] = [[] for _ in sizes]
    for _ in range(max(sizes)):
        round_of = [(item.of, item.seq) for _, item in take(turns, most)]
        assert len(set(round_of)) == len(round_of) == min(most, sum(sizes))
        for k, seq in round_of:
            taken[k].append(seq)
    for size, seqs in zip(sizes, taken, strict=True):
        assert seqs == [1 + n % size for n in range(len(seqs))]
        assert len(seqs) >= size
