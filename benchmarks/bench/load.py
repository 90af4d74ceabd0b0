"""Calls of one workload from this process, and their times."""

import asyncio
import gc
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from benchmarks.bench.processes import Processes

WARM_UP = 0.2
"""Share of the measured time for which calls are made before."""
SHORTEST_WARM_UP = 0.05
"""Seconds of a warm-up; a shorter one is left out."""


@dataclass(frozen=True, slots=True)
class Call:
    """One measured call."""

    seconds: float
    answer_bytes: int


class Workload:
    """A kind of call that is measured."""

    has_rate = True
    """False if not every call of a window is measured, so that their rate means nothing."""
    has_warm_up = True
    """False if the calls of a round are limited, so that none should be lost."""
    is_compared = True
    """True if it is held against the null servers."""

    def __init__(self, name: str, title: str, processes: Processes) -> None:
        self.name = name
        self.title = title
        self.processes = processes
        """Processes that serve it."""

    async def prepare(self) -> None:
        """Gets what all rounds need."""

    async def begin(self, callers: int) -> None:
        """Gets what one round needs; not measured."""

    async def call(self) -> Call | None:
        """Makes a call; None if there is nothing left to do in this round."""
        raise NotImplementedError

    async def end(self) -> None:
        """Undoes what the round has changed; not measured."""

    def in_flight(self, callers: int) -> int:
        """Number of calls at a time."""
        return callers


@dataclass(frozen=True, slots=True)
class Window:
    """Measured calls of one workload in one round."""

    p50: float
    p99: float
    rate: float
    answer_bytes: int
    cpu: dict[str, float]


async def measure(workload: Workload, callers: int, seconds: float) -> Window:
    """Measures a workload for at least one call of each caller and for so many seconds.

    Raises ProcessDied if a process that serves it has ended, and what the calls raise.
    """
    own = psutil.Process()
    try:
        await workload.begin(callers)
        if workload.has_warm_up and seconds * WARM_UP >= SHORTEST_WARM_UP:
            await _calls(workload, callers, seconds * WARM_UP)
        gc.collect()
        before = {"load": sum(own.cpu_times()[:2]), **workload.processes.cpu_seconds()}
        begin = time.perf_counter()
        calls = await _calls(workload, callers, seconds)
        elapsed = time.perf_counter() - begin
        after = {"load": sum(own.cpu_times()[:2]), **workload.processes.cpu_seconds()}
    finally:
        await workload.end()
    if not calls:
        raise RuntimeError("no call was left for the measured time")
    times = sorted(call.seconds for call in calls)
    return Window(
        p50=percentile(times, 0.5) * 1000,
        p99=percentile(times, 0.99) * 1000,
        rate=len(calls) / elapsed,
        answer_bytes=calls[-1].answer_bytes,
        cpu={name: (after[name] - used) / len(calls) * 1e6 for name, used in before.items()},
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least that share of the ordered values does not exceed."""
    return ordered[math.ceil(share * len(ordered)) - 1]


async def _calls(workload: Workload, callers: int, seconds: float) -> list[Call]:
    """Calls that begin within so many seconds; one of each caller at least."""
    done: list[Call] = []
    end = time.perf_counter() + seconds

    async def caller() -> None:
        while (call := await workload.call()) is not None:
            done.append(call)
            if time.perf_counter() >= end:
                return

    async with asyncio.TaskGroup() as group:
        for _ in range(workload.in_flight(callers)):
            group.create_task(caller())
    return done
