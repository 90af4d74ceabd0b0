"""Scores of rows, and of all of them."""

import pytest

from trainer import scores
from trainer.results import Result

RESULTS = [
    Result("in", " cancel the order", "cancel the order\n", 1.0),
    Result("in", " cancel the order", "cancel order", 3.0),
    Result("in", " cancel_order", "", 2.0),
]


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, float]]:
    monkeypatch.setattr(scores, "toxicity", lambda texts, notify: None)
    return scores.of_rows(RESULTS, lambda message: None)


def test_blanks_around_an_answer_do_not_count(rows: list[dict[str, float]]) -> None:
    assert [row["exact_match"] for row in rows] == [1.0, 0.0, 0.0]


def test_words_in_common_are_counted(rows: list[dict[str, float]]) -> None:
    for name in ("rouge1", "rougeL", "rougeLsum"):
        assert [row[name] for row in rows] == pytest.approx([1.0, 0.8, 0.0])


def test_an_output_of_nothing_takes_no_years_at_school(rows: list[dict[str, float]]) -> None:
    assert rows[2]["ari_grade_level"] == rows[2]["flesch_kincaid_grade_level"] == 0


def test_all_rows_are_told_by_their_means(rows: list[dict[str, float]]) -> None:
    metrics = scores.of_all(rows)
    assert metrics["exact_match"] == pytest.approx(1 / 3)
    assert (metrics["latency_mean"], metrics["latency_max"]) == (2.0, 3.0)
    assert "latency" not in metrics
    assert metrics["rougeL"] == pytest.approx(0.6)


def test_toxicity_is_a_score_where_it_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "toxicity", lambda texts, notify: [0.5, 0.25, 0.0])
    rows = scores.of_rows(RESULTS, lambda message: None)
    assert scores.of_all(rows)["toxicity"] == 0.25
