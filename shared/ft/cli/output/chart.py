"""Draws a chart of evaluations."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ft.cli.exits import CommandFailed, Exit
from ft.cli.output.comparison import COMPARED, Comparison, ScoredEvaluation
from ft.text.printable import printable_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".svg", ".png")
SHARES = ("exact_match", "rouge1", "rougeL", "rougeLsum")
"""Metrics from 0 to 1, which share an axis."""


def draw(file: Path, jobs: Sequence[ScoredEvaluation], comparisons: Sequence[Comparison]) -> None:
    """Draws the scores of the jobs, and their differences to the first with the intervals.

    Raises CommandFailed if the file cannot be written, or is neither .svg nor .png.
    """
    if file.suffix.lower() not in SUFFIXES:
        raise CommandFailed(f"--chart: {file} must end in {' or '.join(SUFFIXES)}", Exit.USAGE)
    # Imported late, because the import takes longer than everything else.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 2.5 + 0.5 * len(jobs)), layout="constrained")
    scores, differences = figure.subplots(1, 2)
    _draw_scores(scores, jobs)
    _draw_differences(differences, jobs[0], comparisons)
    figure.legend(loc="outside lower left", ncols=min(len(jobs), 4))
    try:
        figure.savefig(file)
    except OSError as error:
        raise CommandFailed(f"--chart: {file}: {error.strerror}", Exit.USAGE) from None


def _draw_scores(axes: "Axes", jobs: Sequence[ScoredEvaluation]) -> None:
    names = [name for name in SHARES if any(name in one.job.metrics for one in jobs)]
    width = 0.8 / len(jobs)
    for number, one in enumerate(jobs):
        places = [position + number * width for position in range(len(names))]
        # No bar for what is not measured: 0 would be a score.
        heights = [one.job.metrics.get(name, math.nan) for name in names]
        axes.bar(places, heights, width, label=_plain(one.title))
    middle = 0.4 - width / 2
    axes.set_xticks([position + middle for position in range(len(names))], names)
    axes.set_ylim(0, 1)
    axes.set_title("scores")


def _draw_differences(
    axes: "Axes", first: ScoredEvaluation, comparisons: Sequence[Comparison]
) -> None:
    found = [
        (f"{_plain(one.other.title)}\n{name}", one.intervals[name])
        for one in comparisons
        for name in COMPARED
        if name in one.intervals
    ]
    axes.axvline(0, color="grey", linewidth=1)
    for number, (_, interval) in enumerate(found):
        axes.plot([interval.low, interval.high], [number, number], color="tab:blue")
        axes.plot([interval.mean], [number], "o", color="tab:blue")
    axes.set_yticks(range(len(found)), [label for label, _ in found])
    axes.set_ylim(max(len(found), 1) - 0.5, -0.5)
    axes.set_title(f"difference to {_plain(first.title)}, 95 % interval")


def _plain(text: str) -> str:
    """A text on one line. Dollar signs are escaped, or they would begin a formula."""
    return printable_line(text).replace("$", r"\$")
