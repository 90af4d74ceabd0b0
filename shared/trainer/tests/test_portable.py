"""What a job leaves for others names no place of the machine that it ran on."""

import json
from collections.abc import Callable
from pathlib import Path

from trainer.tests.support import Run, naming


def test_an_adapter_names_its_base_as_the_project_does(
    train: Callable[..., Run], project: Path
) -> None:
    train({"save_steps": 4, "save_strategy": "steps", "report_to": "none"})
    [file] = (project / "adapters").rglob("adapter_config.json")
    config = json.loads(file.read_text())
    assert config["base_model_name_or_path"] == "starter/model"
    assert list(naming(project / "adapters", project)) == []
    assert "starter/model" in (file.parent / "README.md").read_text()


def test_results_of_an_evaluation_name_no_place(
    evaluate: Callable[..., Run], project: Path
) -> None:
    words = {
        "base_model_id": "model",
        "dataset_id": "dataset",
        "prompt_id": "prompt",
        "result_dir": "mlflow_results/eval-1",
        "eval_dataset_fraction": 0.02,
        "generation_config": '{"max_new_tokens":2,"do_sample":false}',
    }
    run = evaluate(" ".join(f"--{name} {value}" for name, value in words.items()))
    assert list(naming(run.folder, project)) == []
