"""Times of a job are in order, also where clocks are set back."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.store.engine import Store
from ft.enums import JobState
from jobs.execution.observer import Observer
from jobs.store.records import JobRecords
from jobs.tests.tables import MIGRATION, SomeEvent, SomeJob, status_of

START = datetime(2026, 1, 1)
STEPS = st.lists(st.timedeltas(timedelta(days=-400), timedelta(days=400)), min_size=6, max_size=6)


class Clocks:
    """Those of studio and workspace, which show other times each time."""

    def __init__(self, steps: list[timedelta]) -> None:
        self._steps = steps
        self._read = 0

    def __call__(self) -> datetime:
        self._read += 1
        return START + self._steps[self._read % len(self._steps)]


class Workspace:
    """A workspace whose run has begun and ended, by its own clock."""

    def __init__(self, clock: Clocks) -> None:
        self._clock = clock

    async def run(self, _job_id: str, _run_id: str) -> Any:
        times = {name: self._clock().replace(tzinfo=UTC) for name in ("running_at", "finished_at")}
        return SimpleNamespace(status="ENGINE_FAILED", environment="{}", **times)


async def lived(folder: Path, clock: Clocks, ends: bool) -> tuple[Any, list[Any]]:
    """A job as it ended, with what happened to it."""
    store = Store("some", f"sqlite:///{folder}/some.db", folder / "migrations")
    await store.open()
    try:
        with patch("jobs.store.records.now", clock):
            records = JobRecords(store, SomeJob, SomeEvent)
            job = SomeJob(id="j", cml_job_id="c", run_id="r", created_at=clock())
            await records.begin([job])
            await records.move("j", JobState.DISPATCHING)
            await records.move("j", JobState.SCHEDULED)
            workspace: Any = Workspace(clock)
            if ends:
                observer = Observer(records, workspace, folder, lambda *_: {})
                found = records.one(id="j")
                assert found is not None
                await observer.observe(found)
            else:
                await records.move("j", JobState.STOPPING)
                await records.move("j", JobState.STOPPED)
            await records.forget("other")
            return records.one(id="j"), records.log.events("j", 0, 100)
    finally:
        await store.close()


@settings(max_examples=30, deadline=None)
@given(steps=STEPS, ends=st.booleans())
def test_job_never_ends_before_it_began(
    tmp_path_factory: Any, steps: list[timedelta], ends: bool
) -> None:
    folder: Path = tmp_path_factory.mktemp("times")
    (folder / "migrations").mkdir()
    (folder / "migrations" / "0001_some_jobs.py").write_text(MIGRATION)
    job, events = asyncio.run(lived(folder, Clocks(steps), ends))
    assert JobState(job.state).ended
    assert job.finished_at is not None
    status = status_of(job)
    assert status.finished_at >= (status.started_at or status.created_at) >= status.created_at
    times = [event.created_at for event in events]
    assert times == sorted(times)
