"""Tables of a run, in plain text."""

import math
from collections.abc import Iterator, Sequence

from benchmarks.bench.results import Figure, Line, Run, middle
from benchmarks.bench.targets import verdict

NOT_MEASURED = "NOT MEASURED"
SHOWN_CPU = 0.03
"""Processes with a smaller share of a call's CPU are shown together."""
QUIET_LOAD = 0.5
"""Load average above which a machine is not quiet."""


def report(run: Run) -> Iterator[str]:
    """The lines of the tables."""
    yield f"{run.rounds} rounds in {run.seconds / 60:.1f} minutes; {_machine(run)}"
    if run.machine["load_before"] > QUIET_LOAD:
        yield "The machine was not quiet before the run: only ratios mean anything."
    yield ""
    if run.lines:
        yield "Calls. Medians of rounds; ratios to null with two hops, lowest to highest round."
        yield from table(_CALLS, [_call(run, line) for line in run.lines])
        yield ""
        yield "CPU for each call in microseconds, by process."
        measured = [line for line in run.lines if line.cpu and not line.fault]
        yield from table(_CPU, [_cpu(line) for line in measured])
        yield ""
    if run.figures:
        yield "The studio as a whole. Medians, lowest to highest."
        yield from table(_FIGURES, [_figure(run, one) for one in run.figures])
        yield ""
    if run.memory:
        yield "Memory of each process, idle, MiB PSS."
        shown = sorted(run.memory.items(), key=lambda item: -middle(item[1]))
        yield from table(("process", ">MiB"), [(name, f"{middle(mib):.1f}") for name, mib in shown])
        yield ""
    for fault in run.all_faults():
        yield f"FAULT {fault}"


_CALLS = (
    *("line", "call", ">callers", ">bytes", ">p50 ms", ">p99 ms", ">calls/s"),
    *(">p50/null", "range", ">rate/null", "range", "target", "met"),
)
_CPU = ("line", ">callers", ">all but load", "by process")
_FIGURES = ("name", "figure", ">median", "range", "unit", "target", "met")


def _call(run: Run, line: Line) -> Sequence[str]:
    start = (line.name, line.title, str(line.callers))
    if line.fault:
        return (*start, NOT_MEASURED, *[""] * 7, *_verdict(run, line))
    p50, rate = run.ratios(line, "p50"), run.ratios(line, "rate")
    return (
        *start,
        f"{line.answer_bytes:,}",
        _number(middle(line.p50)),
        _number(middle(line.p99)),
        f"{middle(line.rate):,.0f}" if line.rate else "",
        _number(middle(p50)),
        _range(p50),
        _number(middle(rate)),
        _range(rate),
        *_verdict(run, line),
    )


def _cpu(line: Line) -> Sequence[str]:
    used = {name: middle(values) for name, values in line.cpu.items()}
    total = sum(value for name, value in used.items() if name != "load")
    ordered = sorted(used.items(), key=lambda item: -item[1])
    shown = [(name, value) for name, value in ordered if value >= SHOWN_CPU * sum(used.values())]
    rest = sum(used.values()) - sum(value for _, value in shown)
    parts = [f"{name} {value:,.0f}" for name, value in (*shown, ("others", rest))]
    return line.name, str(line.callers), f"{total:,.0f}", ", ".join(parts)


def _figure(run: Run, figure: Figure) -> Sequence[str]:
    if not figure.values:
        return figure.name, figure.title, NOT_MEASURED, "", figure.unit, *_verdict(run, figure)
    return (
        figure.name,
        figure.title,
        _number(middle(figure.values)),
        _range(figure.values),
        figure.unit,
        *_verdict(run, figure),
    )


def _verdict(run: Run, measured: Line | Figure) -> tuple[str, str]:
    found = verdict(run, measured)
    if found is None:
        return "", ""
    if math.isnan(found.value):
        return str(found.target), "?"
    return str(found.target), "yes" if found.is_met else "NO"


def _number(value: float) -> str:
    """Three digits that count; empty for what is not a number."""
    if math.isnan(value):
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _range(values: Sequence[float]) -> str:
    return f"{_number(min(values))}..{_number(max(values))}" if values else ""


def _machine(run: Run) -> str:
    known = run.machine
    return (
        f"{known['cores']} cores of {known['processor']}, {known['memory_gib']} GiB, "
        f"Linux {known['system']}, Python {known['python']}, "
        f"load average before {known['load_before']:.1f}"
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table whose columns are as wide as they must be; `>` before a head sets it right."""
    right = [head.startswith(">") for head in heads]
    cells = [[head.removeprefix(">") for head in heads], *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    for number, row in enumerate(cells):
        parts = [
            text.rjust(width) if at_right else text.ljust(width)
            for text, width, at_right in zip(row, widths, right, strict=True)
        ]
        yield "  ".join(parts).rstrip()
        if not number:
            yield "  ".join("-" * width for width in widths)
