"""A chart of a run: ratios to null, and figures of the whole studio, beside their targets."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bench.results import Figure, Line, Run, middle
from benchmarks.bench.targets import Verdict, verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MET, MISSED, FREE = "tab:green", "tab:red", "tab:blue"


def draw(run: Run, file: Path) -> None:
    """Writes the chart, as the file's suffix says."""
    from matplotlib.figure import Figure as Drawing

    panels = [
        (f"{figure} over null, {callers} caller{'s'[: callers - 1]}", _ratios(run, callers, figure))
        for callers, figure in ((1, "p50"), (16, "rate"))
    ]
    panels.append(("share of the target", _shares(run)))
    panels = [(title, bars) for title, bars in panels if bars]
    if not panels:
        return
    heights = [len(bars) + 3 for _, bars in panels]
    drawing = Drawing(figsize=(10, 0.28 * sum(heights)), layout="constrained")
    all_axes = drawing.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
    for axes, (title, bars) in zip(all_axes[:, 0], panels, strict=True):
        _draw(axes, title, bars)
    file.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(file)


Bar = tuple[str, Sequence[float], Verdict | None, float | None]
"""Label, values of the rounds, verdict, and place of the target."""


def _ratios(run: Run, callers: int, figure: str) -> list[Bar]:
    bars: list[Bar] = []
    for line in run.lines:
        values = run.ratios(line, figure) if line.callers == callers else []
        if not values or line.name.startswith("null"):
            continue
        found = verdict(run, line)
        found = found if found and found.target.figure == figure else None
        bars.append((line.name, values, found, found.target.limit if found else None))
    return bars


def _shares(run: Run) -> list[Bar]:
    bars: list[Bar] = []
    measured: list[Line | Figure] = [*run.figures]
    for one in measured:
        found = verdict(run, one)
        if found and isinstance(one, Figure) and one.values:
            shares = [value / found.target.limit for value in one.values]
            bars.append((f"{one.name} ({one.unit})", shares, found, 1.0))
    return bars


def _draw(axes: "Axes", title: str, bars: Sequence[Bar]) -> None:
    for place, (_, values, found, limit) in enumerate(bars):
        colour = FREE if found is None else MET if found.is_met else MISSED
        axes.barh(place, middle(list(values)), color=colour, alpha=0.7)
        axes.plot([min(values), max(values)], [place, place], color="black", linewidth=1)
        if limit is not None:
            axes.plot([limit, limit], [place - 0.45, place + 0.45], color="black", linewidth=2)
    axes.set_yticks(range(len(bars)), [bar[0] for bar in bars])
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xscale("log")
    axes.set_title(f"{title}; thick line: target, thin line: rounds", fontsize=10)
