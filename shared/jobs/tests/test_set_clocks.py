"""A clock that is set starts no job twice, takes no lease, and lets nothing wait for ever."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chassis.rpc.errors import NotFound
from chassis.store.engine import Store
from chassis.store.records import now
from ft.enums import JobState
from jobs.execution.lease import Lease
from jobs.execution.observer import Observer
from jobs.execution.sightings import Sightings
from jobs.failures import Failure, Retries
from jobs.store.history import REMOVED
from jobs.testing import until
from jobs.tests.scripted import SLEEP, Jobs
from jobs.tests.tables import MIGRATION, SomeLease

HOURS = timedelta(hours=30)
SET = pytest.mark.parametrize("by", [-HOURS, HOURS], ids=["back", "forward"])
PAUSE = timedelta(minutes=10)
CRASHED = Failure("CRASHED", "c", "workspace")


class WallClock:
    """The wall clock of the machine, as somebody has set it."""

    def __init__(self) -> None:
        self.set_by = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self.set_by


class Elapsed:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    clock = WallClock()
    modules = ("store.event_log", "store.records", "execution.reconciler", "execution.lease")
    for module in modules:
        monkeypatch.setattr(f"jobs.{module}.now", clock)
    return clock


@pytest.fixture
def elapsed() -> Elapsed:
    return Elapsed()


@pytest.fixture
def timed(jobs: Jobs, elapsed: Elapsed) -> Jobs:
    """Jobs of a process that measures time by `elapsed`."""
    jobs.measure_by(elapsed)
    return jobs


async def looked(jobs: Jobs) -> None:
    """The reconciler has looked at everything once."""
    await jobs.reconciler._reconcile()


@SET
async def test_request_under_way_is_waited_for_under_any_clock(
    timed: Jobs, wall: WallClock, elapsed: Elapsed, by: timedelta
) -> None:
    job = timed.new(SLEEP)
    await timed.records.begin([job])
    await timed.records.mark_sent(job.id)  # its answer is not known
    assert not await timed.dispatcher.carry(job.id)
    wall.set_by = by
    assert not await timed.dispatcher.carry(job.id)
    assert timed.named(job.id) == [], "what may still land is not made a second time"
    landed = await timed.land(job)
    elapsed.seconds += 1
    assert await timed.dispatcher.carry(job.id)
    assert [found.id for found in timed.named(job.id)] == [landed]
    assert len(await timed.workspace.runs(landed)) == 1


@SET
async def test_start_that_another_process_carries_is_left_to_it(
    timed: Jobs, wall: WallClock, elapsed: Elapsed, by: timedelta
) -> None:
    job = timed.new()
    await timed.records.begin([job])
    await looked(timed)
    wall.set_by = by
    elapsed.seconds += 0.4
    await looked(timed)
    assert timed.records.one(id=job.id).state == JobState.QUEUED
    elapsed.seconds += 0.2
    await looked(timed)
    assert timed.records.one(id=job.id).state == JobState.SCHEDULED
    assert len(timed.named(job.id)) == 1


async def queued_again(jobs: Jobs, pause: timedelta) -> str:
    """A job whose first attempt has crashed, and whose second one waits."""
    policy = Retries(3, ("CRASHED",)).stored()
    [job] = await jobs.lifecycle.start([jobs.new("", retry=policy)])
    assert await jobs.records.retry(job, JobState.FAILED, CRASHED, pause)
    return str(job.id)


@SET
async def test_pause_lasts_as_long_as_it_was_to_last(
    timed: Jobs, wall: WallClock, elapsed: Elapsed, by: timedelta
) -> None:
    id = await queued_again(timed, PAUSE)
    await looked(timed)
    wall.set_by = by
    elapsed.seconds += PAUSE.total_seconds() - 10
    await looked(timed)
    assert timed.records.one(id=id).state == JobState.QUEUED, "neither is it over sooner"
    elapsed.seconds += 20
    await looked(timed)
    assert timed.records.one(id=id).state == JobState.SCHEDULED


async def test_pause_is_over_in_time_also_for_a_studio_that_starts_on_a_clock_set_back(
    timed: Jobs, wall: WallClock, elapsed: Elapsed
) -> None:
    id = await queued_again(timed, PAUSE)
    wall.set_by = -HOURS
    timed.measure_by(elapsed)
    await looked(timed)
    elapsed.seconds += PAUSE.total_seconds()
    await looked(timed)
    assert timed.records.one(id=id).state == JobState.SCHEDULED


@SET
async def test_job_is_lost_only_after_it_was_missing_for_so_long(
    timed: Jobs, wall: WallClock, elapsed: Elapsed, by: timedelta, tmp_path: Path
) -> None:
    class Forgetful:
        async def run(self, *_: str) -> Any:
            raise NotFound("no such run")

    [job] = await timed.lifecycle.start([timed.new(SLEEP)])
    workspace: Any = Forgetful()
    after = timedelta(seconds=30)
    observer: Observer[Any] = Observer(
        timed.records, workspace, tmp_path, lambda *_: {}, after, sightings=Sightings(elapsed)
    )
    await observer.observe(job)
    wall.set_by = by
    elapsed.seconds += 29
    await observer.observe(job)
    assert timed.records.one(id=job.id).state == JobState.SCHEDULED
    elapsed.seconds += 1
    await observer.observe(job)
    assert timed.records.one(id=job.id).state == JobState.LOST


@SET
async def test_deleted_job_is_looked_for_until_it_cannot_arrive(
    timed: Jobs, wall: WallClock, elapsed: Elapsed, by: timedelta
) -> None:
    job = timed.new(SLEEP)
    await timed.records.begin([job])
    await timed.records.mark_sent(job.id)
    await timed.records.forget(job.id)
    await looked(timed)
    wall.set_by = by
    await looked(timed)
    assert [note.kind for note in timed.records.log.removed()] == [REMOVED]
    await timed.land(job)
    elapsed.seconds += 1
    await looked(timed)
    assert (timed.named(job.id), list(timed.records.log.removed())) == ([], [])


async def test_lost_job_is_created_again_without_waiting(timed: Jobs) -> None:
    id = await timed.start(SLEEP)
    first = timed.records.one(id=id)
    await timed.workspace.delete_job(first.cml_job_id)
    await timed.records.move(id, JobState.LOST)
    resumed = await timed.lifecycle.resume(id)
    assert (resumed.state, resumed.attempt) == (JobState.SCHEDULED, 2)
    assert resumed.cml_job_id != first.cml_job_id


# The lease of studios that share a database


@pytest.fixture
async def shared_store(tmp_path: Path, postgres_url: str) -> AsyncIterator[Store]:
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "0001_some_jobs.py").write_text(MIGRATION)
    store = Store("some", postgres_url, migrations)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def leases(shared_store: Store, elapsed: Elapsed) -> SimpleNamespace:
    one, other = (Lease(shared_store, SomeLease, 15.0, Sightings(elapsed)) for _ in range(2))
    return SimpleNamespace(one=one, other=other)


@SET
async def test_lease_is_not_taken_from_a_process_that_lives(
    leases: SimpleNamespace, wall: WallClock, elapsed: Elapsed, by: timedelta
) -> None:
    assert await leases.one.held()
    assert not await leases.other.held()
    wall.set_by = by
    for _ in range(10):
        elapsed.seconds += 5
        assert await leases.one.held()
        assert not await leases.other.held()
        wall.set_by = -wall.set_by


@SET
async def test_lease_of_a_process_that_died_is_taken_in_time(
    leases: SimpleNamespace, wall: WallClock, elapsed: Elapsed, by: timedelta
) -> None:
    assert await leases.one.held()
    assert not await leases.other.held()
    wall.set_by = by
    elapsed.seconds += 14
    assert not await leases.other.held()
    elapsed.seconds += 1
    assert await leases.other.held()
    assert not await leases.one.held(), "should it live after all, it sees that it has lost it"


async def test_released_lease_is_free_at_once(leases: SimpleNamespace) -> None:
    assert await leases.one.held()
    await leases.other.release()
    assert not await leases.other.held(), "only its holder leaves it"
    await leases.one.release()
    assert await leases.other.held()


async def test_lease_is_released_when_the_process_ends(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    async def held(_: Lease) -> bool:
        calls.append("held")
        return True

    async def release(_: Lease) -> None:
        calls.append("left")

    monkeypatch.setattr(Lease, "held", held)
    monkeypatch.setattr(Lease, "release", release)
    async with jobs.watched(jobs.reconciler):
        await until("it has looked", lambda: calls)
    assert [*dict.fromkeys(calls)] == ["held", "left"]
