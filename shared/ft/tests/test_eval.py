"""`fts eval`: what evaluations have found, shown and held against each other."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from ft import api
from ft.cli.exits import Exit
from ft.tests.conftest import Fts

START = ("--model", "m", "--dataset", "d", "--prompt", "p", "--adapter", "new")


def loaded(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def row(number: int, output: str, exact: float, rouge: float) -> api.EvaluationRow:
    scores = {"exact_match": exact, "rougeL": rouge}
    return api.EvaluationRow(
        number=number, input=f"order [{number}]", expected="yes", output=output, scores=scores
    )


@pytest.fixture
def parent(fts: Fts, studio: Any, registered: None) -> str:
    """The base, which is right on one row of ten, and the tuned model, wrong on one of them."""
    fts("train", "--name", "new", *START[:6])
    studio.evaluated = {"base": 0.1, "tuned": 0.9}
    started = loaded(fts("eval", "start", *START, "--json"))
    base = [row(n, "yes" if n == 3 else "b", float(n == 3), 0.5) for n in range(10)]
    tuned = [row(n, "no" if n == 7 else "yes", float(n != 7), 1.0) for n in range(10)]
    studio.results = {"evaluation-1": base, "evaluation-2": tuned}
    return str(started[0]["parent_job_id"])


@pytest.mark.usefixtures("registered")
def test_evaluations_are_started_under_both_names(fts: Fts, studio: Any) -> None:
    fts("train", "--name", "new", *START[:6])
    for name in (["evaluate"], ["eval", "start"]):
        started = fts(*name, *START, "--retries", "2")
        assert started.exit_code == 0
        assert "(adapter adapter-1)" in started.stdout
        assert studio.requests[-1].retry.max_attempts == 3
    assert fts("evaluate", *START).exit_code == 0
    assert not studio.requests[-1].HasField("retry")


def test_evaluation_is_shown_with_its_rows(fts: Fts, parent: str) -> None:
    shown = fts("eval", "show", "evaluation-2", "--rows", "3").stdout
    assert "exact_match  0.9" in shown
    assert "3 of 10 rows" in shown
    assert [f"order [{n}]" in shown for n in range(5)] == [True] * 3 + [False] * 2
    data = loaded(fts("eval", "show", "evaluation-2", "--rows", "0", "--json"))
    assert [one["output"] for one in data["results"]] == ["yes"] * 7 + ["no"] + ["yes"] * 2
    assert data["metrics"] == {"exact_match": 0.9}


def test_evaluations_of_one_request_are_compared(fts: Fts, parent: str) -> None:
    data = loaded(fts("eval", "compare", parent, "--json", "--rows", "2"))
    assert (data["parent"], [job["title"] for job in data["jobs"]]) == (parent, ["m", "new"])
    [comparison] = data["comparisons"]
    assert (comparison["first"], comparison["other"]) == ("evaluation-1", "evaluation-2")
    assert comparison["rows"] == 10
    exact = comparison["differences"]["exact_match"]
    assert exact["mean"] == pytest.approx(0.8)
    assert 0 < exact["low"] < 0.8 < exact["high"] <= 1
    rouge = comparison["differences"]["rougeL"]
    assert rouge == {"mean": 0.5, "low": 0.5, "high": 0.5}
    assert [one["input"] for one in comparison["largest"]] == ["order [0]", "order [1]"]
    assert comparison["largest"][0]["differences"] == {"exact_match": 1.0, "rougeL": 0.5}
    # A job stands for its parent.
    again = loaded(fts("eval", "compare", "evaluation-2", "--json", "--rows", "2"))
    assert again["comparisons"] == data["comparisons"]


def test_comparison_is_printed_in_tables(fts: Fts, parent: str) -> None:
    said = fts("eval", "compare", parent).stdout
    assert "0.9 (+0.8)" in said
    assert "+0.8000 [+0." in said
    assert "rows in which new differs most" in said
    assert "order [0]" in said


def test_job_without_rows_is_left_out_and_named(
    fts: Fts,
    studio: Any,
    parent: str,
) -> None:
    del studio.results["evaluation-1"]
    said = fts("eval", "compare", parent).stdout
    assert "left out: evaluation-1" in said
    studio.results = {}
    none = fts("eval", "compare", parent)
    assert none.exit_code == Exit.REFUSED
    assert "no evaluation has rows to compare: evaluation-1 is" in none.stderr


@pytest.mark.parametrize(("name", "begin"), [("c.svg", b"<?xml"), ("c.PNG", b"\x89PNG")])
def test_comparison_is_drawn(
    fts: Fts,
    studio: Any,
    parent: str,
    tmp_path: Path,
    name: str,
    begin: bytes,
) -> None:
    studio.kept["adapter"]["adapter-1"].name = "cost $1 or $2"
    drawn = fts("eval", "compare", parent, "--chart", str(tmp_path / name))
    assert drawn.exit_code == 0, drawn.stderr
    assert (tmp_path / name).read_bytes().startswith(begin)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("compare", "nope"), Exit.NOT_FOUND, "no evaluation has the id or the parent id 'nope'"),
        (("compare", "evaluation-1", "--chart", "x.pdf"), Exit.USAGE, "must end in .svg or .png"),
        (("compare", "evaluation-1", "--chart", "/no/x.svg"), Exit.USAGE, "/no/x.svg: No such"),
        (("show", "job-1"), Exit.REFUSED, "job-1 is not an evaluation job"),
        (("show", "nope"), Exit.NOT_FOUND, "no job has the id 'nope'"),
    ],
)
def test_evaluations_that_cannot_be_shown_are_refused(
    fts: Fts,
    parent: str,
    arguments: tuple[str, ...],
    status: Exit,
    said: str,
) -> None:
    result = fts("eval", *arguments)
    assert result.exit_code == status
    assert said in result.stderr


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("config", "fits"),
    [
        ("", True),
        ('{"do_sample": false}', True),
        ('{"max_new_tokens": 5}', False),
        ('{"max_length": 50}', False),
        ("no json", True),
    ],
)
def test_answers_have_room_unless_a_limit_is_given(
    fts: Fts, studio: Any, config: str, *, fits: bool
) -> None:
    given = ["--generation-config", config] if config else []
    assert fts("eval", "start", *START[:6], *given).exit_code == 0
    assert studio.requests[-1].fit_answer_length is fits


def test_metrics_not_measured_are_reported(fts: Fts, studio: Any, parent: str) -> None:
    for job in studio.kept["evaluation"].values():
        job.metrics["ari_grade_level_rows"] = 0
        job.metrics["rougeL"] = 0.5
        job.metrics["rougeL_rows"] = 7
    studio.results["evaluation-2"][1].scores.update(cut_off=1)
    studio.statuses = [api.JobStatus(state="SUCCEEDED", notices=["1 of 10 outputs are cut off"])]
    shown = fts("eval", "show", "evaluation-2", "--rows", "2").stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "ari_grade_level not measured" in lines
    assert "rougeL 0.5 (7 of 10 rows)" in lines
    assert "notice: 1 of 10 outputs are cut off" in lines
    assert [line.endswith("yes") for line in lines[-2:]] == [False, True]
    compared = fts("eval", "compare", parent).stdout
    assert "ari_grade_level not measured not measured" in " ".join(compared.split())
