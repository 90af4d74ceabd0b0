"""Evaluation jobs, run as a workspace runs them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ft.api import AdapterMetadata
from trainer.results import Result, metrics
from trainer.tests.studio import Studio
from trainer.tests.support import Run

GREEDY = json.dumps({"do_sample": False, "max_new_tokens": 12}, separators=(",", ":"))


def flags(**values: Any) -> str:
    base = {
        "base_model_id": "model",
        "dataset_id": "dataset",
        "prompt_id": "prompt",
        "adapter_id": "",
        "result_dir": "mlflow_results/eval-1",
        "generation_config": GREEDY,
        "eval_dataset_fraction": 0.1,
        "job_id": "parent",
        "run_number": 1,
    }
    return " ".join(f"--{name} {value}" for name, value in (base | values).items())


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_base_model_is_evaluated_on_held_out_rows(
    run_job: Callable[..., Run], project: Path
) -> None:
    arguments = flags(selected_features='["action"]')

    run = run_job("evaluate.py", arguments, "mlflow_results/eval-1")

    assert run.status == 0, run.output
    measured = run.of("metrics")[0]
    assert measured["rows"] == 30
    assert measured["metrics"]["exact_match"] < 0.1
    assert [sample.keys() >= {"input", "expected", "output"} for sample in run.of("sample")] == (
        [True] * 8
    )
    assert run.of("progress")[-1]["step"] == 30
    rows = read(run.folder / "result_evaluation.csv")
    test_file = (project / "starter/intents/test.jsonl").read_text().splitlines()
    held_out = {f"### CUSTOMER: {json.loads(line)['customer']}\n### ACTION:" for line in test_file}
    assert len(rows) == 30
    assert {row["model_input"] for row in rows} <= held_out
    assert all(row["expected_output"].strip() == row["action_$useradded$"] for row in rows)
    scores = {
        r["metric"]: float(r["score"]) for r in read(run.folder / "aggregregated_results.csv")
    }
    assert scores["exact_match"] == measured["metrics"]["exact_match"]


def test_an_adapter_that_is_not_there_is_the_reason(
    run_job: Callable[..., Run], studio: Studio
) -> None:
    studio.adapters.append(AdapterMetadata(id="a", name="lost", type="project", location="gone"))

    run = run_job("evaluate.py", flags(adapter_id="a"), "mlflow_results/eval-1")

    assert run.status == 1
    assert run.events[-1]["reason"].startswith("Adapter lost cannot be loaded")


def test_blanks_around_an_answer_do_not_count() -> None:
    def result(output: str, seconds: float) -> Result:
        return Result("in", " cancel_order", output, seconds)

    scores = metrics([result("cancel_order\n", 1.0), result("cancel", 3.0)])

    assert scores == {"exact_match": 0.5, "latency_mean": 2.0, "latency_max": 3.0}
