"""The demo against a real server whose jobs go as the test says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ft import api
from ft.cli.app import app
from ft.cli.demo import steps

Demo = Callable[..., Result]


@pytest.fixture
def run(server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Demo:
    """Runs the demo in an empty directory: nothing may be read from the local disk."""
    monkeypatch.chdir(tmp_path)

    def run(*options: str) -> Result:
        where = ["--server", f"127.0.0.1:{server.port}"]
        return CliRunner().invoke(app, ["demo", *options, *where], catch_exceptions=False)

    return run


@pytest.fixture(autouse=True)
def _adapters_name_their_job(studio: Any) -> None:
    start = type(studio).StartFineTuningJob

    def registers(request: Any, context: Any) -> Any:
        response = start(studio, request, context)
        job = response.fine_tuning_job
        studio.kept["adapter"][job.adapter_id].fine_tuning_job_id = job.id
        return response

    studio.StartFineTuningJob = registers


def test_demo_measures_base_and_tuned_on_the_same_rows(run: Demo, studio: Any) -> None:
    studio.evaluated = {"base": 0.0, "tuned": 0.97}
    result = run()
    assert result.exit_code == 0, result.stderr
    assert "10 rows" in result.stdout
    assert "97.0%" in result.stdout
    for shown in (
        "cancel_order",
        "base_output",
        "tuned_output",
        "[x]",
        "total",
        "fts logs",
        "eval compare",
    ):
        assert shown in result.stdout
    training = next(r for r in studio.requests if isinstance(r, api.StartFineTuningJobRequest))
    assert training.num_epochs == 3
    assert training.learning_rate == pytest.approx(3e-3)
    evaluation = next(r for r in studio.requests if isinstance(r, api.StartEvaluationJobRequest))
    assert [c.adapter_id for c in evaluation.model_adapter_combinations] == ["", "adapter-1"]
    assert evaluation.eval_dataset_fraction == 1.0
    assert json.loads(evaluation.generation_config) == {"do_sample": False, "max_new_tokens": 12}


def test_demo_shares_the_batch_among_several_workers(run: Demo, studio: Any) -> None:
    studio.evaluated = {"tuned": 0.97}
    assert run("--workers", "2").exit_code == 0
    training = next(r for r in studio.requests if isinstance(r, api.StartFineTuningJobRequest))
    settings = json.loads(training.training_arguments_config)
    assert (training.num_workers, settings["per_device_train_batch_size"]) == (2, 8)


def test_demo_again_uses_what_is_registered_and_a_new_adapter_name(run: Demo, studio: Any) -> None:
    studio.evaluated = {"tuned": 0.97}
    assert run().exit_code == run().exit_code == 0
    assert [len(studio.kept[kind]) for kind in ("model", "dataset", "prompt")] == [1, 1, 1]
    names = [
        r.adapter_name for r in studio.requests if isinstance(r, api.StartFineTuningJobRequest)
    ]
    assert len(set(names)) == 2


@pytest.mark.parametrize(("base", "tuned"), [(0.0, 0.89), (0.1, 0.99)])
def test_demo_fails_below_its_promise(run: Demo, studio: Any, base: float, tuned: float) -> None:
    studio.evaluated = {"base": base, "tuned": tuned}
    result = run()
    assert result.exit_code == 1
    assert "the tuned model must reach 90%" in result.stderr


def test_demo_says_why_the_job_failed(run: Demo, studio: Any) -> None:
    studio.statuses = [api.JobStatus(state="FAILED", failure_reason="out of memory")]
    result = run()
    assert result.exit_code == 1
    assert "FAILED: out of memory" in result.stderr
    assert "line two" in result.stderr


def test_demo_does_not_wait_for_ever_for_the_adapter(
    run: Demo, studio: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "REGISTERED_WITHIN_SECONDS", 0.1)
    studio.__dict__.pop("StartFineTuningJob")
    result = run()
    assert result.exit_code == 1
    assert "its adapter is not registered" in result.stderr


def test_demo_prints_json(run: Demo, studio: Any) -> None:
    studio.evaluated = {"tuned": 0.97}
    printed = json.loads(run("--json").stdout)
    assert printed["tuned"]["metrics"] == {"exact_match": 0.97}
    assert printed["tuned"]["rows"] == printed["base"]["rows"] == 10
    assert set(printed["seconds"]) >= {"fine-tune"}
