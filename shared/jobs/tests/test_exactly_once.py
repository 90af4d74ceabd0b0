"""Every interleaving of the dispatch with crashes, lost answers and requests that land late.

The decisions are the real ones; the workspace, the network and the process are a model of them
with everything that may go wrong. What is left out of the protocol on purpose must be found out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from jobs.execution.exactly_once import Known, Step, next_step

MAX_FAULTS = 3
"""Crashes and answers that do not come, together."""


@dataclass(frozen=True)
class Variant:
    """The protocol, or what is left of it."""

    waits: bool = True
    looks: bool = True
    claims: bool = True
    late: bool = False
    """Whether requests may land after the wait, too: the bound was wrong."""


@dataclass(frozen=True)
class World:
    """One state of the record, the process that dispatches, the network and the workspace."""

    # The record, which outlives the process.
    job: int | None = None
    run: int | None = None
    unanswered: bool = True
    # The process.
    looked: bool = False
    settled: bool = False
    awaits: Step | None = None
    faults: int = 0
    fresh: bool = True
    """Nothing was sent for the record yet, and this process knows that."""
    # Requests under way, by what they create; the second item is the job that a run is of.
    under_way: tuple[tuple[Step, int | None], ...] = ()
    jobs: int = 0
    runs: tuple[int, ...] = ()
    """The job of each run."""

    def known(self) -> Known:
        return Known(
            has_job=self.job is not None,
            has_run=self.run is not None,
            unanswered=self.unanswered and not self.fresh,
            settled=self.settled,
            looked=self.looked,
        )


def successors(world: World, variant: Variant) -> Iterator[World]:
    """Everything that may happen next."""
    yield from landings(world)
    if world.awaits is None:
        yield from steps(world, variant)
    if world.faults < MAX_FAULTS and next_step(world.known()) is not Step.DONE:
        # A crash, or no answer in time: both leave nothing but the record.
        yield forgotten(world)


def forgotten(world: World) -> World:
    """The same at the cost of a fault, the process knowing only what is recorded."""
    faults = world.faults + 1
    return replace(world, faults=faults, awaits=None, looked=False, settled=False, fresh=False)


def landings(world: World) -> Iterator[World]:
    """A request under way is served, with or without its answer arriving, or lost."""
    for place, (kind, of) in enumerate(world.under_way):
        rest = world.under_way[:place] + world.under_way[place + 1 :]
        lost = replace(world, under_way=rest)
        served = replace(lost, jobs=world.jobs + 1) if of is None else with_run(lost, of)
        # Only the newest request's answer is awaited.
        if world.awaits is None or place < len(world.under_way) - 1:
            yield from (lost, served)
            continue
        if kind is Step.CREATE_JOB:
            yield replace(served, job=world.jobs, awaits=None, looked=False, fresh=True)
        else:
            yield replace(served, run=len(world.runs), awaits=None, unanswered=False)
        if world.faults < MAX_FAULTS:
            yield from (forgotten(lost), forgotten(served))


def with_run(world: World, job: int) -> World:
    """The workspace has started the job once more."""
    return replace(world, runs=(*world.runs, job))


def steps(world: World, variant: Variant) -> Iterator[World]:
    """What the process does next."""
    match next_step(world.known()):
        case Step.WAIT:
            if not variant.waits or variant.late or not world.under_way:
                yield replace(world, settled=True)
        case Step.FIND_JOB:
            if variant.looks and world.jobs:
                yield replace(world, job=0, looked=False, fresh=True)
            else:
                yield replace(world, looked=True)
        case Step.FIND_RUN:
            found = next((n for n, job in enumerate(world.runs) if job == world.job), None)
            if variant.looks and found is not None:
                yield replace(world, run=found, unanswered=False)
            else:
                yield replace(world, looked=True)
        case Step.CREATE_JOB | Step.CREATE_RUN as kind:
            sent = (*world.under_way, (kind, world.job))
            yield replace(
                world, under_way=sent, awaits=kind, unanswered=True, looked=False, settled=False
            )


def explore(variant: Variant) -> set[World]:
    """Every state that can be reached in which nothing more happens."""
    seen = {World()}
    left = [World()]
    ends = set()
    while left:
        world = left.pop()
        following = list(successors(world, variant))
        if not following:
            ends.add(world)
        for one in following:
            if one not in seen:
                seen.add(one)
                left.append(one)
    return ends


def effective_runs(world: World, variant: Variant) -> int:
    """Runs that train: all of them, or the one that has the claim."""
    return min(len(world.runs), 1) if variant.claims else len(world.runs)


def test_job_and_run_exist_once_whatever_happens() -> None:
    ends = explore(Variant(claims=False))
    assert ends
    assert all(end.run is not None for end in ends), "a job was lost"
    assert {(end.jobs, len(end.runs)) for end in ends} == {(1, 1)}


def test_requests_that_land_after_the_wait_do_not_train_twice() -> None:
    variant = Variant(late=True)
    ends = explore(variant)
    assert ends
    assert all(end.run is not None for end in ends), "a job was lost"
    assert {effective_runs(end, variant) for end in ends} == {1}
    # A job without a run costs nothing: all runs are of the one that is recorded.
    assert all(job == end.job for end in ends for job in end.runs)


@pytest.mark.parametrize(
    "broken",
    [
        Variant(waits=False, claims=False),
        Variant(looks=False, claims=False),
        Variant(late=True, claims=False),
    ],
    ids=["without waiting", "without looking", "without the claim"],
)
def test_missing_steps_of_the_protocol_are_detected(broken: Variant) -> None:
    assert max(effective_runs(end, broken) for end in explore(broken)) > 1
