"""Evaluations held against each other, row by row."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean, quantiles

from ft import api

COMPARED = ("exact_match", "rougeL")
"""Scores that are compared row by row."""
RESAMPLES = 2_000
SEED = 420

Key = tuple[str, str, int]
"""Input, expected output, and how many rows of the same came before."""


@dataclass(frozen=True)
class Evaluated:
    """An evaluation with the rows that it has scored."""

    title: str
    job: api.EvaluationJobMetadata
    rows: Mapping[Key, api.EvaluationRow]


@dataclass(frozen=True)
class Interval:
    """The mean difference of a score, with the bounds of its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class RowDifference:
    """One row that two evaluations see differently."""

    first: api.EvaluationRow
    other: api.EvaluationRow
    differences: Mapping[str, float]
    """By name of score, what the other has more than the first."""


@dataclass(frozen=True)
class Comparison:
    """An evaluation against the first one, over the rows that both have scored."""

    other: Evaluated
    rows: int
    intervals: Mapping[str, Interval]
    """By name of score, over the rows that it is measured on in both; without those that it is
    measured on in none."""
    largest: Sequence[RowDifference]
    """Rows that differ most, the largest difference first."""


def keyed(rows: Iterable[api.EvaluationRow]) -> dict[Key, api.EvaluationRow]:
    """The rows by what tells them apart: two evaluations need not have scored the same ones."""
    seen: Counter[tuple[str, str]] = Counter()
    found: dict[Key, api.EvaluationRow] = {}
    for row in rows:
        same = (row.input, row.expected)
        found[(*same, seen[same])] = row
        seen[same] += 1
    return found


def compared(first: Evaluated, other: Evaluated, most: int) -> Comparison:
    """What the other does better or worse than the first, and the `most` rows that show it best."""
    pairs = [(row, other.rows[key]) for key, row in first.rows.items() if key in other.rows]
    differences = [RowDifference(one, two, _differences(one, two)) for one, two in pairs]
    found = {
        name: [row.differences[name] for row in differences if name in row.differences]
        for name in COMPARED
    }
    intervals = {name: interval(values) for name, values in found.items() if values}
    largest = sorted((row for row in differences if _size(row)), key=_size, reverse=True)
    return Comparison(other, len(pairs), intervals, largest[:most])


def interval(differences: Sequence[float], resamples: int = RESAMPLES) -> Interval:
    """The mean of paired differences with its bootstrap interval; the same each time."""
    random = Random(SEED)  # noqa: S311  # statistics, not secrets
    count = len(differences)
    means = [fmean(random.choices(differences, k=count)) for _ in range(resamples)]
    low, *_, high = quantiles(means, n=40, method="inclusive")
    return Interval(fmean(differences), low, high)


def _differences(one: api.EvaluationRow, two: api.EvaluationRow) -> dict[str, float]:
    """Of the scores that are measured on both rows."""
    names = [name for name in COMPARED if name in one.scores and name in two.scores]
    return {name: two.scores[name] - one.scores[name] for name in names}


def _size(row: RowDifference) -> float:
    return sum(map(abs, row.differences.values()))
