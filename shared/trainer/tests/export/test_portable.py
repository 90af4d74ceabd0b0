"""Files of a job name no path of the machine that it ran on."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from trainer.export.job import Export
from trainer.job.arguments import ExportArguments
from trainer.job.events import EventLog
from trainer.job.studio import Identity
from trainer.model import saving
from trainer.tests.conftest import TRAINER
from trainer.tests.studio import TOKEN, Direct, Studio
from trainer.tests.support import Run, naming


@pytest.fixture(params=["project", "a 100% ü [folder] #1: that's"])
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A project directory, also one whose path texts may have quoted."""
    root = tmp_path / str(request.param)
    (root / "starter").mkdir(parents=True)
    for name in ("model", "intents"):
        (root / "starter" / name).symlink_to(TRAINER / "starter" / name)
    return root


def exported(studio: Studio, project: Path, kind: str) -> Path:
    """The folder of an export of the adapter that a job has registered."""
    folder = project / "exports" / kind
    arguments = ExportArguments(
        export_type=kind,
        base_model_id="model",
        adapter_id=studio.adapters[0].id,
        model_name=f"m-{kind}",
        artifact_location="model",
        result_dir=f"exports/{kind}",
        generation_config={"max_new_tokens": 2},
    )
    Export(arguments, Identity("job-1", TOKEN), Direct(studio), EventLog(folder), project).run()
    return folder


def test_adapter_and_its_exports_contain_no_path(
    train: Callable[..., Run], studio: Studio, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a job: bytecode names the path of its source.
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    settings = {"save_steps": 4, "save_strategy": "steps", "report_to": "mlflow"}
    run = train({**settings, "save_total_limit": 3})
    [file] = (project / "adapters").rglob("adapter_config.json")
    config = json.loads(file.read_text())
    assert config["base_model_name_or_path"] == "starter/model"
    assert "starter/model" in (file.parent / "README.md").read_text()
    assert list(naming(project / "adapters", project)) == []

    kept = sorted(path.name for path in run.folder.glob("checkpoint-*/training_args.bin"))
    assert kept, "checkpoints are looked into as well"
    assert list(naming(run.folder, project)) == []

    merged = exported(studio, project, "merged")
    assert (merged / "model" / "config.json").exists()
    assert list(naming(merged, project)) == []

    exported(studio, project, "model_registry")
    [described] = (project / "mlruns").rglob("MLmodel")
    assert (described.parent / "artifacts" / "adapter" / "README.md").exists()
    assert (described.parent / "registered_model.py").exists()
    assert list(naming(project / "mlruns", project)) == []


def test_training_goes_on_from_a_checkpoint_without_paths(
    train: Callable[..., Run], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"save_steps": 4, "save_strategy": "steps", "report_to": "none"}
    first = train({**settings, "save_total_limit": 3})
    # As if it had ended before its last step.
    shutil.rmtree(first.folder / "checkpoint-8")
    shutil.rmtree(project / "adapters")
    monkeypatch.setenv("FTS_ATTEMPT", "2")
    again = train({**settings, "save_total_limit": 3}, job=first.folder.name)
    [resumed] = again.of("resumed")
    assert resumed["checkpoint"] == "checkpoint-4"


@pytest.mark.parametrize(
    "card",
    [
        "---\nbase_model: {place}\ntags:\n- base_model:adapter:{place}\n- lora\n---\n# {place}\n",
        "---\nbase_model: '{place}'\ntags:\n- 'base_model:adapter:{place}'\n---\n",
        "---\nbase_model:\n- {place}\n---\n",
        "---\nbroken: [\n---\n{place}\n",
        "no front matter, only {place}\n",
        "",
    ],
)
def test_card_names_the_base_as_the_studio_does(tmp_path: Path, card: str) -> None:
    place = f"{tmp_path}/{'a long way ' * 12}/model"
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": place}))
    (tmp_path / "README.md").write_text(card.format(place=place))
    saving.name_base(tmp_path, "org/base")
    assert list(naming(tmp_path, tmp_path)) == []
    if "{place}" in card:
        assert "org/base" in (tmp_path / "README.md").read_text()


def test_evaluation_results_contain_no_path(evaluate: Callable[..., Run], project: Path) -> None:
    words = {
        "base_model_id": "model",
        "dataset_id": "dataset",
        "prompt_id": "prompt",
        "result_dir": "mlflow_results/eval-1",
        "eval_dataset_fraction": "0.02",
        "generation_config": '{"max_new_tokens":2,"do_sample":false}',
    }
    run = evaluate(" ".join(f"--{name} {value}" for name, value in words.items()))
    assert list(naming(run.folder, project)) == []
