"""Evaluations held against each other, row by row."""

from random import Random

import pytest

from ft import api
from ft.cli.output.comparison import ScoredEvaluation, compared, interval, keyed


def row(input: str, exact: float, expected: str = "e", **scores: float) -> api.EvaluationRow:
    return api.EvaluationRow(
        input=input, expected=expected, scores={"exact_match": exact, **scores}
    )


def evaluated(title: str, *rows: api.EvaluationRow) -> ScoredEvaluation:
    return ScoredEvaluation(title, api.EvaluationJobMetadata(id=title), keyed(rows))


def test_rows_that_both_have_are_compared() -> None:
    first = evaluated("first", row("a", 1), row("b", 0), row("c", 1, expected="x"))
    other = evaluated("other", row("b", 1), row("c", 0, expected="y"), row("a", 1))
    found = compared(first, other, 5)
    assert (found.rows, found.intervals["exact_match"].mean) == (2, 0.5)
    [largest] = found.largest
    assert (largest.first.input, largest.differences) == ("b", {"exact_match": 1})


def test_equal_rows_are_distinguished_by_their_order() -> None:
    first = evaluated("first", row("a", 0), row("a", 1))
    other = evaluated("other", row("a", 0), row("a", 0))
    found = compared(first, other, 5)
    assert (found.rows, found.intervals["exact_match"].mean) == (2, -0.5)


def test_interval_needs_rows_in_common() -> None:
    found = compared(evaluated("first", row("a", 1)), evaluated("other", row("b", 1)), 5)
    assert (found.rows, found.intervals, list(found.largest)) == (0, {}, [])


def test_score_that_one_side_lacks_is_not_compared() -> None:
    first = evaluated("first", row("a", 1, rougeL=1.0), row("b", 1, rougeL=1.0))
    other = evaluated("other", row("a", 1, rougeL=1.0), row("b", 1))
    found = compared(first, other, 5)
    assert [set(one.differences) for one in found.largest] == []
    # Over the row that both have it on.
    assert set(found.intervals) == {"exact_match", "rougeL"}
    nowhere = evaluated("other", row("a", 1), row("b", 1))
    assert set(compared(first, nowhere, 5).intervals) == {"exact_match"}


def test_differences_come_largest_first() -> None:
    first = evaluated("first", *(row(n, 0, rougeL=0.0) for n in "abcd"))
    other = evaluated(
        "other",
        row("a", 0, rougeL=0.2),
        row("b", 1, rougeL=1.0),
        row("c", 0, rougeL=0.4),
        row("d", 0, rougeL=0.0),
    )
    assert [one.first.input for one in compared(first, other, 2).largest] == ["b", "c"]
    assert len(compared(first, other, 9).largest) == 3


def test_interval_is_repeatable_and_narrows_with_more_rows() -> None:
    few = interval([0, 1, 1, 0, 1] * 4)
    many = interval([0, 1, 1, 0, 1] * 40)
    assert few == interval([0, 1, 1, 0, 1] * 4)
    assert few.mean == many.mean == 0.6
    assert few.low < many.low < 0.6 < many.high < few.high


def test_interval_has_the_true_difference_in_nineteen_of_twenty_cases() -> None:
    random = Random(1)
    true = 0.3
    held = 0
    for _ in range(200):
        sample = [float(random.random() < true) for _ in range(60)]
        found = interval(sample, resamples=300)
        held += found.low <= true <= found.high
    assert 180 <= held <= 199


def test_interval_needs_more_than_one_row() -> None:
    found = interval([0.5])
    assert (found.low, found.mean, found.high) == (0.5, 0.5, 0.5)
    assert found.mean == pytest.approx(0.5)
