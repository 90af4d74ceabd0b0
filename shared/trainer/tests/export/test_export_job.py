"""Export jobs, run as a workspace runs them, and what others make of their exports."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pandas
import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType

from ft.api import AdapterMetadata, ModelMetadata
from trainer.errors import ModelError, ParityError
from trainer.export import registry
from trainer.export.job import Export
from trainer.job.arguments import ExportArguments
from trainer.job.events import RESERVE_FILE, EventLog
from trainer.job.studio import Identity
from trainer.job.studio_client import StudioClient
from trainer.model.hardware import Hardware
from trainer.model.loading import load_model, weight_type
from trainer.serving import trained_answers
from trainer.tests.conftest import TRAINER
from trainer.tests.models import STARTER
from trainer.tests.studio import TOKEN, Studio
from trainer.tests.support import PROMPTS, Run, naming, until, written
from trainer.tracking import runs
from trainer.tracking.fetch import directory

ADAPTER = AdapterMetadata(
    id="adapter", type="project", name="a", model_id="model", location="adapter", prompt_id="prompt"
)


@pytest.fixture(scope="session")
def adapter_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter for the starter model that makes it write something else."""
    from peft import LoraConfig, get_peft_model
    from transformers import set_seed

    set_seed(1)
    source = str(STARTER)
    model = load_model(source, Hardware(1), weight_type(Hardware(1)), None)
    # Without it an adapter begins as one that changes nothing.
    config = LoraConfig(target_modules="all-linear", init_lora_weights=False)
    folder = tmp_path_factory.mktemp("adapter")
    get_peft_model(model, config).save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def adapter(project: Path, studio: Studio, adapter_files: Path) -> None:
    (project / "adapter").symlink_to(adapter_files)
    studio.adapters.append(ADAPTER)


def words(**values: Any) -> str:
    """The arguments of an export."""
    flags = {
        "base_model_id": "model",
        "adapter_id": "adapter",
        "model_name": '"my\\u0020model"',
        "result_dir": "exports/job-1",
        "generation_config": '{"max_new_tokens":6,"repetition_penalty":1.1}',
        **values,
    }
    return " ".join(f"--{name} {value}" for name, value in flags.items())


@pytest.fixture
def export(run_job: Callable[..., Run]) -> Callable[..., Run]:
    def run(**values: Any) -> Run:
        folder = values.get("result_dir", "exports/job-1")
        return run_job(
            "export.py", words(**values), folder, FTS_JOB_ID="job-1", FTS_JOB_TOKEN=TOKEN
        )

    return run


HELD = """
import time
import mlflow.pyfunc

def held(**_):
    open("held", "w").close()
    time.sleep(600)

mlflow.pyfunc.log_model = held
"""


@pytest.fixture
def held(
    start: Callable[..., subprocess.Popen[str]], project: Path, tmp_path: Path
) -> Iterator[subprocess.Popen[str]]:
    """An export that has begun a run of MLflow, and goes no further."""
    (tmp_path / "sitecustomize.py").write_text(HELD)
    process = start(
        "export.py",
        words(export_type="model_registry", artifact_location="tuned"),
        PYTHONPATH=os.pathsep.join([str(tmp_path), str(TRAINER.parent)]),
        FTS_JOB_ID="job-1",
        FTS_JOB_TOKEN=TOKEN,
    )
    until((project / "held").exists, 120.0)
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def in_process(project: Path, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[Export]:
    """An export to the registry, in the test's own process."""
    monkeypatch.chdir(project)
    arguments = ExportArguments(
        export_type="model_registry",
        base_model_id="model",
        adapter_id="adapter",
        model_name="m",
        artifact_location="model",
        result_dir="exports/job-1",
        generation_config={"max_new_tokens": 6},
    )
    host, port = studio.address.split(":")
    where = {"FINE_TUNING_SERVICE_IP": host, "FINE_TUNING_SERVICE_PORT": port}
    with StudioClient(where) as found:
        events = EventLog(project / "exports/job-1")
        yield Export(arguments, Identity("job-1", TOKEN), found, events, project)


def registered(project: Path) -> list[Any]:
    with runs.connect(project):
        return list(MlflowClient().search_registered_models())


def test_export_to_the_registry_loads_back_and_writes_what_the_adapter_writes(
    export: Callable[..., Run], studio: Studio, project: Path
) -> None:
    run = export(export_type="model_registry", artifact_location="tuned")

    assert run.status == 0, run.output
    [made] = studio.exports
    assert (made.job_id, made.token, made.mlflow_model_path) == ("job-1", TOKEN, "tuned")
    assert run.of("registered")[0]["model_id"] == "exported"
    assert [event["step"] for event in run.of("progress")] == [1, 2, 3, 4]
    assert TOKEN not in run.output + run.log + (run.folder / "events.jsonl").read_text()
    with runs.connect(project):
        [version] = MlflowClient().search_model_versions("name='my model'")
        assert version.run_id == made.mlflow_run_id
        loaded = mlflow.pyfunc.load_model("models:/my model/1")
    expected = written(str(project / "starter/model"), project, ADAPTER)
    params = {"max_new_tokens": 6, "do_sample": False, "repetition_penalty": 1.0}
    prompts = pandas.DataFrame({"prompt": PROMPTS})
    assert loaded.predict(prompts, params=params) == expected
    coldest = {**params, "do_sample": True, "temperature": 0.0}
    assert loaded.predict(prompts, params=coldest) == expected
    assert expected != written(str(project / "starter/model"), project)
    model = mlflow.models.get_model_info("models:/my model/1")
    assert model.metadata["generation_config"]["max_new_tokens"] == 6
    assert model.metadata["input_template"] == "### CUSTOMER: {customer}\n### ACTION:"
    assert len(model.metadata["tokenizer_sha256"]) == 64
    defaults = {one.name: one.default for one in model.signature.params.params}
    assert (defaults["max_new_tokens"], defaults["repetition_penalty"]) == (6, 1.1)
    assert defaults.keys() >= {"temperature", "top_p", "top_k", "num_beams"}


@pytest.mark.starts_processes
def test_registered_model_is_read_back_as_one_directory(
    in_process: Export, studio: Studio, project: Path
) -> None:
    in_process.run()
    [made] = studio.exports
    record = ModelMetadata(
        type="model_registry", name="m", mlflow_run_id=made.mlflow_run_id, id="r"
    )

    found = directory(record, project)

    assert written(str(found), project) == written(str(project / "starter/model"), project, ADAPTER)
    before = found.stat().st_mtime_ns
    assert directory(record, project).stat().st_mtime_ns == before


def test_export_that_reads_back_differently_is_not_registered(
    in_process: Export, studio: Studio, project: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    code = registry.CODE.read_text()
    right = "self._tokenizer = AutoTokenizer.from_pretrained(adapter"
    assert right in code
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        code.replace(right, f"self._model.base_model.disable_adapter_layers(); {right}")
    )
    monkeypatch.setattr(registry, "CODE", wrong)

    with pytest.raises(ModelError, match="does not write what the adapter writes: after '###"):
        in_process.run()

    assert studio.exports == []
    assert registered(project) == []
    [experiment] = MlflowClient().search_experiments(filter_string="name = 'job-1'")
    assert MlflowClient().search_runs([experiment.experiment_id]) == []


def test_export_refused_by_the_studio_is_undone(
    in_process: Export, studio: Studio, project: Path
) -> None:
    studio.export_refused = "the name is taken"

    with pytest.raises(Exception, match="the name is taken"):
        in_process.run()

    assert registered(project) == []


def test_changed_adapter_is_not_exported(
    in_process: Export, project: Path, adapter_files: Path
) -> None:
    (project / "adapter").unlink()
    shutil.copytree(adapter_files, project / "adapter")
    answers = {"version": 1, "tokenizer": "", "eos_token_id": -1, "calculated": ""}
    content = json.dumps({**answers, "generation": trained_answers.GREEDY, "samples": []})
    (project / "adapter/parity.json").write_text(content)

    with pytest.raises(ParityError, match="EOS differs"):
        in_process.run()

    assert registered(project) == []


def test_reason_outlives_a_store_that_fails_as_well(
    in_process: Export, studio: Studio, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OSError("https://user:pass-word@store/ is away")

    monkeypatch.setattr(MlflowClient, "delete_model_version", away)
    studio.export_refused = "the name is taken"

    with pytest.raises(Exception, match="the name is taken"):
        in_process.run()

    told = (project / "exports/job-1/events.jsonl").read_text()
    assert "was not deleted" in told
    assert "pass-word" not in told


def _runs(project: Path, kind: ViewType) -> list[str]:
    """How the runs of the export's experiment stand."""
    with runs.connect(project):
        client = MlflowClient()
        experiment = client.get_experiment_by_name("job-1")
        assert experiment is not None
        found = client.search_runs([experiment.experiment_id], run_view_type=kind)
    return [run.info.status for run in found]


def test_export_that_is_stopped_leaves_nothing(held: subprocess.Popen[str], project: Path) -> None:
    assert (project / "exports/job-1/.work/logged/base/config.json").exists()

    held.send_signal(signal.SIGTERM)
    held.communicate(timeout=300)

    assert held.returncode == 143
    names = {path.name for path in (project / "exports/job-1").iterdir()}
    # The room that events keep for the end of a job stays for the next attempt.
    assert names == {RESERVE_FILE, ".work.lock", "events.jsonl", "job.log"}
    assert _runs(project, ViewType.ACTIVE_ONLY) == []
    assert _runs(project, ViewType.DELETED_ONLY) == ["KILLED"]


def test_files_of_a_killed_export_are_removed_by_the_next(
    held: subprocess.Popen[str], export: Callable[..., Run], project: Path
) -> None:
    other = {"export_type": "merged", "result_dir": "exports/job-2"}
    left = project / "exports/job-1/.work"

    assert export(**other).status == 0
    assert left.exists()
    assert _runs(project, ViewType.ACTIVE_ONLY) == ["RUNNING"]

    held.kill()
    held.communicate(timeout=300)
    run = export(**other)

    assert run.status == 0, run.output
    assert not left.exists()
    assert not (project / "exports/job-2/.work").exists()
    assert _runs(project, ViewType.ACTIVE_ONLY) == []
    assert _runs(project, ViewType.DELETED_ONLY) == ["KILLED"]


def test_merged_export_writes_what_the_adapter_writes(
    export: Callable[..., Run], studio: Studio, project: Path
) -> None:
    run = export(export_type="merged", generation_config='{"max_new_tokens":6}')

    assert run.status == 0, run.output
    assert [one.job_id for one in studio.exports] == ["job-1"]
    merged = project / "exports/job-1/model"
    assert list(naming(project / "exports", project)) == []
    assert json.loads((merged / "generation_config.json").read_text())["max_new_tokens"] == 6
    assert written(str(merged), project) == written(
        str(project / "starter/model"), project, ADAPTER
    )
    assert not list(merged.parent.glob(".model*"))


def test_merged_export_that_the_studio_refuses_leaves_nothing(
    export: Callable[..., Run], studio: Studio
) -> None:
    studio.export_refused = "the name is taken"

    run = export(export_type="merged")

    assert run.status == 1
    assert "the name is taken" in run.events[-1]["reason"]
    assert run.events[-1]["kind"] == "USER_ERROR"
    assert not (run.folder / "model").exists()
