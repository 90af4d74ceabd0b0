"""Differences between two runs that are larger than the spread of their rounds."""

from collections.abc import Iterator

from benchmarks.bench.report import table
from benchmarks.bench.results import Run, middle

_HEADS = ("figure", ">before", "range", ">now", "range", ">change")


def compare(before: Run, now: Run) -> Iterator[str]:
    """Lines that say what has moved. A figure has moved if its rounds in both runs do not overlap.

    Ratios to null are compared, CPU for each call, and the studio as a whole.
    """
    old, new = before.series(), now.series()
    if not machines_alike(before, now):
        yield "The runs are of different machines: only ratios to null can be compared."
    if sizes(before) != sizes(now):
        yield "The runs have different numbers of rows or callers."
    common = [name for name in new if name in old]
    moved = [
        name
        for name in common
        if min(new[name]) > max(old[name]) or max(new[name]) < min(old[name])
    ]
    yield f"{len(moved)} of {len(common)} figures have moved beyond the spread of their rounds."
    if alone := [name for name in common if len(old[name]) < 2 or len(new[name]) < 2]:
        yield f"{len(alone)} of them have a single round in one of the runs, and so no spread."
    rows = []
    for name in sorted(moved, key=lambda name: -abs(_change(old[name], new[name]))):
        change = _change(old[name], new[name])
        rows.append((name, *_shown(old[name]), *_shown(new[name]), f"{change:+.0%}"))
    if rows:
        yield from table(_HEADS, rows)
    for name in sorted(old.keys() - new.keys()):
        yield f"not in this run: {name}"


def _change(old: list[float], new: list[float]) -> float:
    return middle(new) / middle(old) - 1 if middle(old) else 0.0


def _shown(values: list[float]) -> tuple[str, str]:
    return f"{middle(values):.3g}", f"{min(values):.3g}..{max(values):.3g}"


def machines_alike(one: Run, other: Run) -> bool:
    """True if both runs are of machines of the same kind."""
    return all(one.machine.get(k) == other.machine.get(k) for k in ("cores", "processor"))


def sizes(run: Run) -> list[object]:
    """Settings that figures depend on."""
    names = ("callers", "small_rows", "large_rows", "jobs", "page")
    return [run.settings.get(name) for name in names]
