"""Measures lines in rounds: each round measures every line once."""

import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from grpc import aio

from benchmarks.bench.load import Workload, measure
from benchmarks.bench.processes import ProcessDied
from benchmarks.bench.results import NULL_HOPS, Line, Run
from benchmarks.bench.settings import ANSWER_SIZES, Settings
from benchmarks.bench.workloads.null import NullCall, nearest_size, null_name


class Measured:
    """A line, and how it is measured."""

    def __init__(self, workload: Workload, callers: int, share: float = 1.0) -> None:
        self.workload = workload
        self.share = share
        self.line = Line(name=workload.name, callers=callers, title=workload.title)

    async def look(self) -> None:
        """Makes one call, to see that it can be made and what it answers."""
        await self.workload.prepare()
        window = await measure(self.workload, 1, 0.0)
        self.line.answer_bytes = window.answer_bytes
        if self.workload.is_compared:
            self.line.null = null_name(NULL_HOPS, nearest_size(window.answer_bytes))

    async def round(self, seconds: float) -> None:
        """Measures it once."""
        line = self.line
        window = await measure(self.workload, line.callers, seconds * self.share)
        line.answer_bytes = window.answer_bytes
        line.p50.append(window.p50)
        line.p99.append(window.p99)
        if self.workload.has_rate:
            line.rate.append(window.rate)
        for name, used in window.cpu.items():
            line.cpu.setdefault(name, []).append(used)


async def run_rounds(
    run: Run,
    lines: Sequence[Measured],
    nulls: Sequence[Measured],
    settings: Settings,
    end: float,
    say: Callable[[str], None],
) -> None:
    """Measures the lines, and the null lines that they are held against, round after round.

    `nulls` are all null lines, of which only the needed ones and those among `lines` are measured.
    No round begins that would end after `end`, by the monotonic clock, but for the first.
    """
    say(f"looking at {len(lines)} lines")
    for measured in lines:
        await _guarded(run, measured, measured.look())
    used = {(one.line.null, one.line.callers) for one in lines}
    used |= {(one.line.name, one.line.callers) for one in lines}
    needed = [one for one in nulls if (one.line.name, one.line.callers) in used]
    ordered = sorted([*needed, *(x for x in lines if x not in nulls)], key=_order)
    run.lines = [one.line for one in ordered]
    longest = 0.0
    for number in range(settings.rounds):
        begin = time.monotonic()
        if number and begin + longest > end:
            say(f"no time is left for more than {number} rounds")
            break
        for measured in ordered:
            await _guarded(run, measured, measured.round(settings.seconds))
        longest = max(longest, time.monotonic() - begin)
        run.rounds = number + 1
        say(f"round {run.rounds} of {settings.rounds}: {time.monotonic() - begin:.0f} s")


def _order(measured: Measured) -> tuple[int, int, bool, str]:
    """Lines follow the null line that they are held against, so that both have the same noise."""
    line = measured.line
    is_null = isinstance(measured.workload, NullCall)
    null = line.name if is_null else line.null
    size = int(null.partition("-")[2]) if null else max(ANSWER_SIZES) + 1
    return size, line.callers, not is_null, line.name


async def _guarded(run: Run, measured: Measured, work: Coroutine[Any, Any, None]) -> None:
    """Does the work, unless the line or a process that serves it has failed before.

    A failure is kept as the line's fault, and does not end the run.
    """
    line, processes = measured.line, measured.workload.processes
    try:
        processes.require_alive()
        if line.fault:
            work.close()
            return
        await work
        processes.require_alive()
    except Exception as error:
        work.close()
        line.fault = line.fault or reason(error)
        try:
            processes.require_alive()
        except ProcessDied as died:
            fault = f"{died} while {line.key} was measured, or before"
            if not any(known.startswith(str(died)) for known in run.faults):
                run.faults.append(fault)


def reason(error: BaseException) -> str:
    """First cause of an error, on one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, aio.AioRpcError):
        return f"{error.code().name}: {error.details()}"
    return " ".join(str(error).split()) or type(error).__name__
