"""Compares evaluations row by row."""

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
class ScoredEvaluation:
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
    """One row with different scores in two evaluations."""

    first: api.EvaluationRow
    other: api.EvaluationRow
    differences: Mapping[str, float]
    """Score of the other minus score of the first, by name of score."""


@dataclass(frozen=True)
class Comparison:
    """Comparison of an evaluation with the first one, over the rows that both have scored."""

    other: ScoredEvaluation
    rows: int
    intervals: Mapping[str, Interval]
    """By name of score, over the rows on which both have measured it. Scores without such rows are
    absent."""
    largest: Sequence[RowDifference]
    """Rows with the largest differences, in descending order."""


def keyed(rows: Iterable[api.EvaluationRow]) -> dict[Key, api.EvaluationRow]:
    """The rows by a key that matches those of other evaluations, which may have other rows."""
    seen: Counter[tuple[str, str]] = Counter()
    found: dict[Key, api.EvaluationRow] = {}
    for row in rows:
        same = (row.input, row.expected)
        found[(*same, seen[same])] = row
        seen[same] += 1
    return found


def compared(first: ScoredEvaluation, other: ScoredEvaluation, most: int) -> Comparison:
    """Compares an evaluation with the first one, and keeps `most` rows with large differences."""
    pairs = [(row, other.rows[key]) for key, row in first.rows.items() if key in other.rows]
    differences = [
        RowDifference(
            one,
            two,
            {
                name: two.scores[name] - one.scores[name]
                for name in COMPARED
                if name in one.scores and name in two.scores
            },
        )
        for one, two in pairs
    ]
    found = {
        name: [row.differences[name] for row in differences if name in row.differences]
        for name in COMPARED
    }
    intervals = {name: interval(values) for name, values in found.items() if values}
    largest = sorted((row for row in differences if _size(row)), key=_size, reverse=True)
    return Comparison(other, len(pairs), intervals, largest[:most])


def interval(differences: Sequence[float], resamples: int = RESAMPLES) -> Interval:
    """The mean of paired differences with its bootstrap interval, which is deterministic."""
    random = Random(SEED)  # noqa: S311  # statistics, not secrets
    count = len(differences)
    means = [fmean(random.choices(differences, k=count)) for _ in range(resamples)]
    low, *_, high = quantiles(means, n=40, method="inclusive")
    return Interval(fmean(differences), low, high)


def _size(row: RowDifference) -> float:
    return sum(map(abs, row.differences.values()))
