"""A page of today asks the workspace, by HTTP, about what the studio has started there."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ft.api import (
    EvaluationJobModelCombination,
    StartEvaluationJobRequest,
    StartFineTuningJobRequest,
)
from ft.client import StudioError
from tests.contract.workspace import PROJECT, Workspace
from tests.e2e.conftest import Studio, serving
from tests.e2e.test_first_light import TRAINING_SECONDS, Registered
from tests.processes import starts_processes


@pytest.fixture(scope="module")
@starts_processes
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio on a machine with two GPUs, as far as the workbench knows."""
    with serving(tmp_path_factory.mktemp("home"), FTS_WORKBENCH_GPUS="2") as studio:
        yield studio


@pytest.fixture(scope="module")
def registered(studio: Studio) -> Registered:
    return Registered(studio.client())


def _starts(registered: Registered, label: int) -> Any:
    """Calls that start a job with that label."""
    pair = EvaluationJobModelCombination(base_model_id=registered.model_id)
    client = registered.client
    yield lambda: registered.train("labelled", gpu=1, gpu_label_id=label)
    yield lambda: client.StartEvaluationJob(
        StartEvaluationJobRequest(
            type="mlflow",
            model_adapter_combinations=[pair],
            dataset_id=registered.dataset_id,
            prompt_id=registered.prompt_id,
            cpu=1,
            memory=2,
            gpu=1,
            gpu_label_id=label,
        )
    )


@pytest.mark.parametrize("label", [2, 99, -2, 2**31 - 1, -(2**31)])
def test_start_with_an_unknown_label_is_refused_by_name(
    studio: Studio, registered: Registered, label: int
) -> None:
    workspace = Workspace(studio.home)
    before = workspace.get(f"{PROJECT}/jobs", page_size=100)["jobs"]
    [there] = workspace.get("/api/v2/nodelabels")["accelerator_node_label"]
    for start in _starts(registered, label):
        with pytest.raises(StudioError) as refusal:
            start()
        assert "gpu_label_id" in str(refusal.value)
        assert str(label) in str(refusal.value)
        if label > 0:
            assert f"existing labels: {there['id']} ({there['label_value']})" in str(refusal.value)
    assert workspace.get(f"{PROJECT}/jobs", page_size=100)["jobs"] == before


def test_training_is_an_experiment_with_its_losses(studio: Studio, registered: Registered) -> None:
    client = registered.client
    settings = {"per_device_train_batch_size": 8, "logging_steps": 1, "report_to": "mlflow"}
    started = client.StartFineTuningJob(
        StartFineTuningJobRequest(
            adapter_name="reported",
            base_model_id=registered.model_id,
            dataset_id=registered.dataset_id,
            prompt_id=registered.prompt_id,
            num_cpu=1,
            num_memory=2,
            gpu_label_id=-1,
            dataset_fraction=0.01,
            training_arguments_config=json.dumps(settings),
        )
    ).fine_tuning_job
    job = client.wait_for_job(started.id, TRAINING_SECONDS)
    workspace = Workspace(studio.home)
    query = {"search_filter": json.dumps({"name": job.id})}
    [experiment] = workspace.get(f"{PROJECT}/experiments", **query)["experiments"]
    runs = f"{PROJECT}/experiments/{experiment['id']}/runs"
    [run] = workspace.get(runs)["experiment_runs"]
    assert run["status"] == "EXPERIMENT_RUN_FINISHED"
    losses = workspace.get(f"{runs}/{run['id']}/metrics/loss")["metrics"]
    assert [int(loss["step"]) for loss in losses] == list(range(1, job.status.total_steps + 1))
    latest = {metric["key"]: metric["value"] for metric in run["data"]["metrics"]}
    assert latest["loss"] == losses[-1]["value"]
    [made] = workspace.get(f"{PROJECT}/jobs", **query)["jobs"]
    assert int(made["accelerator_label_id"]) == -1
    assert workspace.get(f"{PROJECT}/applications")["applications"] == []
