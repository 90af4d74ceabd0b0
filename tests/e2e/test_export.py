"""An adapter goes to the registry, and what is there is trained and evaluated on."""

import json
from pathlib import Path
from typing import Any

import pytest

from ft.api import (
    AddModelRequest,
    EvaluationJobModelCombination,
    ExportModelRequest,
    GetAdapterRequest,
    GetModelRequest,
    ListExportJobsRequest,
    ModelMetadata,
    RemoveModelRequest,
    StartEvaluationJobRequest,
    TailLogsRequest,
    WatchJobRequest,
)
from ft.client import AlreadyExistsError
from tests.e2e.conftest import FTS, Studio, run, serving
from tests.e2e.test_first_light import TRAINING_SECONDS, Registered
from tests.processes import starts_processes


@pytest.fixture(scope="module")
@starts_processes
def studio(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with serving(tmp_path_factory.mktemp("home")) as studio:
        yield studio


def test_registered_model_is_trained_and_evaluated_on(studio: Studio) -> None:
    registered = Registered(studio.client())
    client = registered.client
    trained = client.wait_for_job(
        registered.train("first", dataset_fraction=0.02).id, TRAINING_SECONDS
    )
    export = ["export", "first", "--name", "the tuned one", "--cpu", "1", "--memory", "2"]

    exported = run(FTS, *export, "--watch", env=studio.env)

    assert exported.returncode == 0, exported.stdout + exported.stderr
    [job] = client.ListExportJobs(ListExportJobsRequest()).export_jobs
    states = [
        one.event.state
        for one in client.WatchJob(WatchJobRequest(job_id=job.id))
        if one.HasField("event") and one.event.kind == "STATE"
    ]
    assert states[-1] == "SUCCEEDED"
    assert b"".join(one.data for one in client.TailLogs(TailLogsRequest(job_id=job.id)))
    adapter = client.GetAdapter(GetAdapterRequest(id=trained.adapter_id)).adapter
    ids = (job.cml_registered_model_id, job.mlflow_experiment_id, job.mlflow_run_id)
    assert all(ids)
    found = (adapter.cml_registered_model_id, adapter.mlflow_experiment_id, adapter.mlflow_run_id)
    assert found == ids
    _is_taken("the tuned one", registered, adapter.id)
    model = _added_again(registered, job.model_id)
    assert (model.cml_registered_model_id, model.mlflow_run_id) == (ids[0], ids[2])
    _is_trained_and_evaluated_on(studio, registered, model)


def _is_taken(name: str, registered: Registered, adapter_id: str) -> None:
    request = ExportModelRequest(
        type="merged",
        base_model_id=registered.model_id,
        adapter_id=adapter_id,
        model_name=name,
    )
    with pytest.raises(AlreadyExistsError):
        registered.client.ExportModel(request)


def _added_again(registered: Registered, model_id: str) -> ModelMetadata:
    """What the export has made, removed and read back from the registry."""
    client = registered.client
    made = client.GetModel(GetModelRequest(id=model_id)).model
    assert (made.type, made.name) == ("model_registry", "the tuned one")
    client.RemoveModel(RemoveModelRequest(id=model_id))
    request = AddModelRequest(type="model_registry", model_registry_id=made.cml_registered_model_id)
    return client.AddModel(request).model


def _is_trained_and_evaluated_on(
    studio: Studio, registered: Registered, model: ModelMetadata
) -> None:
    client = registered.client
    registered.model_id = model.id
    job = registered.train("second", dataset_fraction=0.02)
    second = client.wait_for_job(job.id, TRAINING_SECONDS)
    assert (studio.project / "models/registry" / model.mlflow_run_id / "config.json").exists()
    config = json.loads((studio.project / second.out_dir / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "models:/the tuned one"
    pairs = [
        EvaluationJobModelCombination(base_model_id=model.id, adapter_id=adapter)
        for adapter in ("", second.adapter_id)
    ]
    started = client.StartEvaluationJob(
        StartEvaluationJobRequest(
            type="mlflow",
            model_adapter_combinations=pairs,
            dataset_id=registered.dataset_id,
            prompt_id=registered.prompt_id,
            cpu=1,
            memory=2,
            generation_config=json.dumps({"do_sample": False, "max_new_tokens": 8}),
            comparison_adapter_id=second.adapter_id,
            eval_dataset_fraction=1.0,
        )
    )
    for job in started.evaluation_jobs:
        ended = client.wait_for_job(job.id, TRAINING_SECONDS)
        assert Path(studio.project / ended.evaluation_dir / "result_evaluation.csv").exists()
