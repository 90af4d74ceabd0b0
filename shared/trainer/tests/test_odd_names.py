"""A project whose folder, files and models have names that look like patterns."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas
import pytest
from mlflow import pyfunc

from ft.api import FineTuningJobMetadata
from ft.job_protocol.files import ANSWERS_FILE
from ft.job_protocol.variables import SERVED_ADAPTER, SERVED_BASE, SERVED_GENERATION
from trainer.evaluation.job import Evaluation
from trainer.export.job import Export
from trainer.job.arguments import ExportArguments, evaluate_arguments
from trainer.job.events import EventLog
from trainer.job.studio import Identity
from trainer.serving.predict import load
from trainer.tests.conftest import TRAINER, trained
from trainer.tests.studio import Direct, Studio
from trainer.tests.support import Run

PROJECT = "a [1] ü* #%20?"
MODEL = "models/base[1] #%?"
DATA = "data[1].jsonl"
ADAPTER_FOLDER = "adapters-[1]*"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, with decoys beside it and in it that its names match as patterns."""
    root = tmp_path_factory.mktemp("names")
    rows = (TRAINER / "starter/intents/train.jsonl").read_text().splitlines()[:60]
    right = [json.dumps({**json.loads(row), "customer": f"mine {row[:20]}"}) for row in rows]
    for place in (root / PROJECT, root / "a 1 üx #%20x"):
        place.mkdir()
        (place / "data1.jsonl").write_text('{"customer": "decoy", "action": "decoy"}\n' * 60)
    (root / PROJECT / DATA).write_text("\n".join(right))
    shutil.copytree(TRAINER / "starter/model", root / PROJECT / MODEL)
    return root / PROJECT


@pytest.fixture(scope="module")
def studio() -> Studio:
    studio = Studio()
    studio.model.location = MODEL
    studio.jobs["job-1"] = FineTuningJobMetadata(id="job-1", dataset_id="dataset")
    studio.dataset.type, studio.dataset.location = "project_jsonl", DATA
    return studio


@pytest.fixture(scope="module")
def job(project: Path, studio: Studio, fine_tune_flags: Callable[..., str]) -> Iterator[Run]:
    training = {"optim": "adamw_torch", "fp16": False, "max_steps": 4, "save_steps": 2}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
            patch.setenv(name, "")
            patch.delenv(name)
        flags = fine_tune_flags(training=training, out_dir=ADAPTER_FOLDER)
        yield trained(studio, project, "job-1", flags)


def inputs(project: Path, studio: Studio) -> set[str]:
    folder = project / studio.adapters[0].location
    recorded = json.loads((folder / ANSWERS_FILE).read_text())
    return {one["input"] for one in recorded["samples"]}


def test_file_with_an_odd_name_is_trained_on(project: Path, studio: Studio, job: Run) -> None:
    assert studio.adapters[0].location == ADAPTER_FOLDER
    asked = inputs(project, studio)
    assert asked
    assert all("mine" in one and "decoy" not in one for one in asked)


@pytest.mark.starts_processes
def test_adapter_of_an_odd_name_is_evaluated_served_and_exported(
    project: Path, studio: Studio, job: Run
) -> None:
    adapter = studio.adapters[0]
    folder = project / "mlflow_results/job-1"
    words = {
        "base_model_id": "model",
        "dataset_id": "dataset",
        "prompt_id": "prompt",
        "adapter_id": adapter.id,
        "result_dir": folder.relative_to(project),
        "generation_config": '{"max_new_tokens":4}',
        "eval_dataset_fraction": 1.0,
    }
    given = " ".join(f"--{name} {value}" for name, value in words.items())
    arguments = evaluate_arguments({"JOB_ARGUMENTS": given})
    Evaluation(arguments, Direct(studio), EventLog(folder), project).run()
    results = (folder / "result_evaluation.csv").read_text()
    assert "mine" in results
    assert "decoy" not in results

    served = {
        SERVED_BASE: MODEL,
        SERVED_ADAPTER: adapter.location,
        SERVED_GENERATION: '{"max_new_tokens":4}',
    }
    assert load(served, project, lambda _: None).answer({"prompt": "hi"}) is not None

    _export(project, studio, adapter.id, "merged")
    merged = {
        SERVED_BASE: "exports [1]/merged/model",
        SERVED_ADAPTER: "",
        SERVED_GENERATION: '{"max_new_tokens":4}',
    }
    assert load(merged, project, lambda _: None).answer({"prompt": "hi"}) is not None
    _export(project, studio, adapter.id, "model_registry")
    model = pyfunc.load_model("models:/named/1")
    assert len(model.predict(pandas.DataFrame({"prompt": ["hi"]}))) == 1


def _export(project: Path, studio: Studio, adapter: str, type_: str) -> None:
    folder = project / "exports [1]" / type_
    folder.mkdir(parents=True)
    values: dict[str, Any] = {
        "export_type": type_,
        "base_model_id": "model",
        "adapter_id": adapter,
        "model_name": "named",
        "artifact_location": "model",
        "result_dir": f"exports [1]/{type_}",
        "generation_config": {},
    }
    arguments = ExportArguments(**values)
    Export(arguments, Identity("job-1", ""), Direct(studio), EventLog(folder), project).run()
