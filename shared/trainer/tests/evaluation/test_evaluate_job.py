"""Evaluation jobs, run as a workspace runs them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import pytest
from mlflow import MlflowClient
from tokenizers import Tokenizer
from transformers import (
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from ft.api import AdapterMetadata, DatasetMetadata
from rows.errors import DataError
from trainer.evaluation.toxicity import MODEL as TOXICITY_MODEL
from trainer.tests.studio import Studio
from trainer.tests.support import GREEDY, Run, evaluation_flags

STARTER = Path(__file__).parents[2] / "starter" / "model"


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


SCORES = ["exact_match", "cut_off"]
GRADES = ["ari_grade_level", "flesch_kincaid_grade_level"]
OVERLAPS = ["rouge1", "rougeL", "rougeLsum"]


def toxicity_model(cache: Path) -> None:
    """A model under the name of the one that tells toxicity, as the hub's client caches models."""
    folder = cache / f"models--{TOXICITY_MODEL.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("revision")
    snapshot = folder / "snapshots" / "revision"
    tokenizer = Tokenizer.from_file(str(STARTER / "tokenizer.json"))
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    config = RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        intermediate_size=8,
        max_position_embeddings=520,
        id2label={0: "nothate", 1: "hate"},
        label2id={"nothate": 0, "hate": 1},
        **sizes,
    )
    RobertaForSequenceClassification(config).save_pretrained(snapshot)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>").save_pretrained(snapshot)


def test_base_model_is_evaluated_on_held_out_rows(
    run_job: Callable[..., Run], project: Path
) -> None:
    arguments = evaluation_flags(selected_features='["action"]')

    run = run_job("evaluate.py", arguments, "mlflow_results/eval-1")

    assert run.status == 0, run.output
    [measured] = run.of("metrics")
    metrics = measured["metrics"]
    assert measured["rows"] == 15
    assert metrics["exact_match"] < 0.1
    known = {*SCORES, *OVERLAPS, "latency_mean", "latency_max"}
    assert {name for name in metrics if name.removesuffix("_rows") not in GRADES} == known
    assert [sample.keys() >= {"input", "expected", "output"} for sample in run.of("sample")] == (
        [True] * 8
    )
    assert run.of("progress")[-1]["step"] == 15
    notices = [event["message"] for event in run.of("notice")]
    assert sum(one.startswith("toxicity is left out: its model") for one in notices) == 1
    cut_off = round(metrics["cut_off"] * 15)
    told = [one for one in notices if f"{cut_off} of 15 outputs are cut off" in one]
    assert bool(told) == bool(cut_off)
    _check_files(run, project, metrics)
    _check_tracked(project, metrics)


def _check_files(run: Run, project: Path, metrics: dict[str, float]) -> None:
    rows = read(run.folder / "result_evaluation.csv")
    test_file = (project / "starter/intents/test.jsonl").read_text().splitlines()
    held_out = {f"### CUSTOMER: {json.loads(line)['customer']}\n### ACTION:" for line in test_file}
    assert len(rows) == 15
    assert {row["model_input"] for row in rows} <= held_out
    assert all(row["expected_output"].strip() == row["action_$useradded$"] for row in rows)
    for name in (*SCORES, *GRADES, *OVERLAPS):
        found = [float(row[name]) for row in rows if row[name]]
        assert metrics.get(f"{name}_rows", 15) == len(found)
        assert (name in metrics) == bool(found)
        if found:
            assert fmean(found) == pytest.approx(metrics[name], rel=1e-4)
    assert max(float(row["latency"]) for row in rows) == pytest.approx(
        metrics["latency_max"], rel=1e-4
    )
    aggregated = {r["metric"]: r["score"] for r in read(run.folder / "aggregregated_results.csv")}
    assert aggregated.keys() >= {*SCORES, *GRADES, *OVERLAPS}
    assert {name: float(score) for name, score in aggregated.items() if score} == metrics


def _check_tracked(project: Path, metrics: dict[str, float]) -> None:
    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    experiment = client.get_experiment_by_name("Run: parent")
    [tracked] = client.search_runs([experiment.experiment_id])
    assert (tracked.info.run_name, tracked.info.status) == ("starter", "FINISHED")
    assert tracked.info.end_time > tracked.info.start_time
    assert tracked.data.metrics == metrics
    params = tracked.data.params
    assert (params["base_model_id"], params["eval_dataset_fraction"]) == ("model", "0.05")
    assert (json.loads(params["generation_config"]), params["rows"]) == (json.loads(GREEDY), "15")
    files = {file.path for file in client.list_artifacts(tracked.info.run_id)}
    assert files == {"result_evaluation.csv", "aggregregated_results.csv"}


def _partly_trained_on(folder: Path) -> list[dict[str, str]]:
    """Writes data to train and test with; the rows to test with that are not among the others."""
    folder.mkdir()
    trained = [{"customer": f"where is order {n}", "action": "track_order"} for n in range(5)]
    fresh = [{"customer": f"cancel order {n}", "action": "cancel_order"} for n in range(4)]
    for name, rows in (("train", trained), ("test", [*trained[:2], *fresh])):
        lines = "".join(json.dumps({**row, "note": name}) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines)
    return fresh


def test_rows_trained_on_are_left_out_and_reported(
    run_job: Callable[..., Run], project: Path, studio: Studio, tmp_path: Path
) -> None:
    fresh = _partly_trained_on(project / "data")
    studio.dataset = DatasetMetadata(id="dataset", type="project", name="own", location="data")
    toxicity_model(tmp_path / "hf" / "hub")
    # The store is another one than the usual, and takes no files.
    (project / "mlruns").write_text("")
    store = f"sqlite:///{tmp_path}/other.db"

    run = run_job(
        "evaluate.py",
        evaluation_flags(eval_dataset_fraction=1.0),
        "mlflow_results/eval-1",
        MLFLOW_TRACKING_URI=store,
    )

    assert run.status == 0, run.output
    rows = read(run.folder / "result_evaluation.csv")
    inputs = [f"### CUSTOMER: {row['customer']}\n### ACTION:" for row in fresh]
    assert sorted(row["model_input"] for row in rows) == sorted(inputs)
    metrics = run.of("metrics")[0]["metrics"]
    found = [float(row["toxicity"]) for row in rows if row["toxicity"]]
    assert metrics.get("toxicity_rows", len(rows)) == len(found)
    if found:
        assert 0 < fmean(found) < 1
        assert fmean(found) == pytest.approx(metrics["toxicity"], rel=1e-4)
    left_out, *_, not_tracked = (event["message"] for event in run.of("notice"))
    assert left_out.startswith("2 of 6 held-out rows are left out")
    assert not_tracked.startswith("The results are not in MLflow. MLflow's tracking store cannot")
    assert MlflowClient(store).get_experiment_by_name("Run: parent") is not None
    assert not (project / "mlflow.db").exists()


def test_missing_adapter_is_the_reason(run_job: Callable[..., Run], studio: Studio) -> None:
    studio.adapters.append(AdapterMetadata(id="a", name="lost", type="project", location="gone"))

    run = run_job("evaluate.py", evaluation_flags(adapter_id="a"), "mlflow_results/eval-1")

    assert run.status == 1
    assert run.events[-1]["reason"].startswith("Adapter lost cannot be loaded")


LONG = "the order of the customer is cancelled and the money goes back to the card " * 6


def _with_long_answers(project: Path, studio: Studio) -> None:
    (project / "data").mkdir()
    for name in ("train", "test"):
        rows = [{"customer": f"{name} {number}", "action": LONG} for number in range(3)]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (project / "data" / f"{name}.jsonl").write_text(lines)
    studio.dataset = DatasetMetadata(id="dataset", type="project", name="own", location="data")


@pytest.mark.parametrize("fits", [True, False])
def test_answers_longer_than_the_limit_have_room_or_are_reported(
    evaluate: Callable[..., Run], project: Path, studio: Studio, *, fits: bool
) -> None:
    _with_long_answers(project, studio)
    run = evaluate(evaluation_flags(eval_dataset_fraction=1.0, fit_answer_length=str(fits).lower()))
    notices = [event["message"] for event in run.of("notice")]
    rows = read(run.folder / "result_evaluation.csv")
    assert {row["cut_off"] for row in rows} <= {"0", "1"}
    if fits:
        assert any(one.startswith("max_new_tokens is ") for one in notices)
    else:
        cut_off = sum(row["cut_off"] == "1" for row in rows)
        assert cut_off
        [told] = [one for one in notices if "cut off" in one]
        assert f"{cut_off} of 3 outputs are cut off by max_new_tokens 12" in told
        assert "3 expected answers are longer" in told


def test_question_that_leaves_no_room_is_not_scored(
    evaluate: Callable[..., Run], project: Path, studio: Studio
) -> None:
    (project / "data").mkdir()
    # The starter takes 256 tokens: one has room, one has a little of it, two have none.
    tested = ["where is it", "x" * 215, "word " * 400, "x y " * 400]
    for name, texts in (("train", ["hi"]), ("test", tested)):
        rows = [{"customer": text, "action": "any"} for text in texts]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (project / "data" / f"{name}.jsonl").write_text(lines)
    studio.dataset = DatasetMetadata(id="dataset", type="project", name="own", location="data")
    limits = {"do_sample": False, "max_new_tokens": 200, "min_new_tokens": 30}
    config = json.dumps(limits, separators=(",", ":"))

    run = evaluate(evaluation_flags(eval_dataset_fraction=1.0, generation_config=config))

    notices = [event["message"] for event in run.of("notice")]
    assert any(
        "2 of 4 questions have at least 256 tokens, the longest text that the model" in one
        for one in notices
    )
    rows = {row["model_input"]: row for row in read(run.folder / "result_evaluation.csv")}
    unasked = [row for text, row in rows.items() if "word " in text or "x y " in text]
    assert [{row[name] for name in SCORES + OVERLAPS} for row in unasked] == [{""}, {""}]
    [little] = [row for text, row in rows.items() if "xxx" in text]
    assert little["cut_off"] == "1"
    metrics = run.of("metrics")[0]["metrics"]
    assert metrics["exact_match_rows"] == 2
    # None of what is left can be asked.
    (project / "data/test.jsonl").write_text(json.dumps({"customer": "x " * 600, "action": "a"}))
    with pytest.raises(DataError, match=r"1 of 1 questions .* there is nothing to score"):
        evaluate(evaluation_flags(result_dir="mlflow_results/eval-2", generation_config=config))
