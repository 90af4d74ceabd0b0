"""Scores of rows, and of all of them."""

import math
from collections.abc import Sequence

import pytest

from trainer.evaluation import scores
from trainer.evaluation.results import Result
from trainer.evaluation.scores import Scores

RESULTS = [
    Result("in", " cancel the order", "cancel the order\n", 1.0),
    Result("in", " cancel the order", "cancel order", 3.0, cut_off=True),
    Result("in", " cancel_order", "", 2.0),
]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def no_toxicity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "toxicity", lambda texts, in_english, notify: None)


@pytest.fixture
def rows(told: list[str]) -> list[Scores]:
    return scores.of_rows(RESULTS, told.append)


def of(rows: Sequence[Scores], name: str) -> list[float | None]:
    return [row[name] for row in rows]


def test_blanks_around_an_answer_do_not_count(rows: list[Scores]) -> None:
    assert of(rows, "exact_match") == [1.0, 0.0, 0.0]


def test_words_in_common_are_counted(rows: list[Scores]) -> None:
    for name in ("rouge1", "rougeL", "rougeLsum"):
        assert of(rows, name) == pytest.approx([1.0, 0.8, 0.0])


def test_text_without_words_has_no_grade(rows: list[Scores]) -> None:
    assert rows[2]["ari_grade_level"] is rows[2]["flesch_kincaid_grade_level"] is None
    assert scores.of_all(rows)["ari_grade_level_rows"] == 2.0


def test_scores_of_all_rows_are_means(rows: list[Scores]) -> None:
    metrics = scores.of_all(rows)
    assert metrics["exact_match"] == pytest.approx(1 / 3)
    assert metrics["cut_off"] == pytest.approx(1 / 3)
    assert (metrics["latency_mean"], metrics["latency_max"]) == (2.0, 3.0)
    assert "latency" not in metrics
    assert metrics["rougeL"] == pytest.approx(0.6)
    assert "rougeL_rows" not in metrics


def test_grades_of_what_is_not_english_are_not_measured(told: list[str]) -> None:
    results = [Result("in", text, text, 1.0) for text in ("Ваш заказ", "Die Ware ist da", "👍")]
    rows = scores.of_rows(results, told.append)
    assert of(rows, "ari_grade_level") == [None, None, None]
    assert of(rows, "rouge1") == [1.0, 1.0, None]
    metrics = scores.of_all(rows)
    assert metrics["ari_grade_level"] is None
    assert (metrics["ari_grade_level_rows"], metrics["rouge1_rows"]) == (0, 2)
    grades, rouge = told
    assert "not measured on 3 of 3 outputs" in grades
    assert "not measured on 1 of 3 rows" in rouge


@pytest.mark.parametrize("text", ["", " ", "!?", "👍", "word", "\u0301", "1", "\x00", "a" * 5000])
def test_scores_are_always_numbers(text: str, told: list[str]) -> None:
    rows = scores.of_rows([Result("in", text, text, 1.0)], told.append)
    assert all(score is None or math.isfinite(score) for score in rows[0].values())


def test_toxicity_is_a_score_where_it_can_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "toxicity", lambda *_: [0.5, 0.25, None])
    metrics = scores.of_all(scores.of_rows(RESULTS, lambda message: None))
    assert (metrics["toxicity"], metrics["toxicity_rows"]) == (0.375, 2)
