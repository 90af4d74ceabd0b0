"""A model and a data set of the hub that go on changing: what a training saw is what is evaluated,
and where it is gone, the job says so."""

import json
import shutil
from pathlib import Path

import pytest

from chassis.testing.hub import Repo, TestHub, hub
from ft.api import (
    AddAdapterRequest,
    AddDatasetRequest,
    AddModelRequest,
    AddPromptRequest,
    EvaluationJobModelCombination,
    GetAdapterRequest,
    PromptMetadata,
    StartEvaluationJobRequest,
    StartFineTuningJobRequest,
    ValidateEvaluationJobRequest,
)
from ft.client import FineTuningStudioClient, JobFailedError
from tests.e2e.conftest import serving
from tests.support import REPOSITORY

pytestmark = pytest.mark.starts_processes

SECONDS = 240.0
STARTER = REPOSITORY / "shared/trainer/starter"
SEEN, NEWER = "b" * 40, "c" * 40
MODEL = {file.name: file.read_bytes() for file in (STARTER / "model").iterdir()}
ROWS = (STARTER / "intents/train.jsonl").read_bytes().splitlines(keepends=True)
CARD = b"""---
dataset_info:
  features:
  - name: customer
    dtype: string
  - name: action
    dtype: string
---
"""
DATA = {"README.md": CARD, "train.jsonl": b"".join(ROWS[:60])}
OTHER = {"README.md": CARD, "train.jsonl": b"".join(ROWS[100:160])}
TRAINING = {
    "max_steps": 2,
    "per_device_train_batch_size": 4,
    "optim": "adamw_torch",
    "fp16": False,
    "report_to": "none",
}


def move_on(served: TestHub, *, keep: bool) -> None:
    """Both repositories have a newer commit, whose model is of no use."""
    broken = {**MODEL, "config.json": b'{"model_type": "llama", "hidden_size": 8}'}
    for kind, name, now, before in (
        ("model", "a/model", broken, MODEL),
        ("dataset", "a/data", OTHER, DATA),
    ):
        earlier = {SEEN: before} if keep else {}
        served.repos[kind, name] = Repo(kind, name, now, commit=NEWER, earlier=earlier)


def train(client: FineTuningStudioClient) -> StartEvaluationJobRequest:
    """Registers and trains; how the adapter is evaluated."""
    model = client.AddModel(AddModelRequest(type="huggingface", huggingface_name="a/model")).model
    data = client.AddDataset(
        AddDatasetRequest(type="huggingface", huggingface_name="a/data")
    ).dataset
    assert (model.commit, data.commit) == (SEEN, SEEN)
    prompt = PromptMetadata(
        id="p",
        name="p",
        dataset_id=data.id,
        prompt_template="### CUSTOMER: {customer}\n### ACTION: {action}",
        input_template="### CUSTOMER: {customer}\n### ACTION:",
        completion_template=" {action}",
    )
    client.AddPrompt(AddPromptRequest(prompt=prompt))
    started = client.StartFineTuningJob(
        StartFineTuningJobRequest(
            base_model_id=model.id,
            dataset_id=data.id,
            prompt_id="p",
            adapter_name="of-the-hub",
            cpu=1,
            gpu=0,
            memory=2,
            num_epochs=1,
            learning_rate=2e-3,
            auto_add_adapter=True,
            training_arguments_config=json.dumps(TRAINING),
        )
    ).fine_tuning_job
    job = client.wait_for_job(started.id, SECONDS)
    pair = EvaluationJobModelCombination(base_model_id=model.id, adapter_id=job.adapter_id)
    return StartEvaluationJobRequest(
        type="mlflow",
        model_adapter_combinations=[pair],
        dataset_id=data.id,
        prompt_id="p",
        cpu=1,
        memory=2,
        eval_dataset_fraction=1.0,
        generation_config=json.dumps({"do_sample": False, "max_new_tokens": 2}),
    )


def test_hub_commit_of_the_training_is_loaded_again(tmp_path: Path) -> None:
    first = [
        Repo("model", "a/model", MODEL, commit=SEEN),
        Repo("dataset", "a/data", DATA, commit=SEEN),
    ]
    cache = tmp_path / "hf"
    with (
        hub(*first) as served,
        serving(tmp_path / "home", **served.environment(str(cache))) as studio,
        studio.client() as client,
    ):
        request = train(client)
        adapter_id = request.model_adapter_combinations[0].adapter_id
        adapter = client.GetAdapter(GetAdapterRequest(id=adapter_id)).adapter
        manifest = json.loads((studio.project / adapter.location / "manifest.json").read_text())
        assert manifest["base_model"] == {"name": "a/model", "commit": SEEN}
        assert (manifest["data"]["name"], manifest["data"]["commit"]) == ("a/data", SEEN)

        # Another machine, later: nothing is in its cache.
        move_on(served, keep=True)
        shutil.rmtree(cache)
        served.asked.clear()
        [evaluation] = client.StartEvaluationJob(request).evaluation_jobs
        assert client.wait_for_job(evaluation.id, SECONDS).rows == 6
        assert not [one.path for one in served.asked if NEWER in one.path]
        weights = [one.path for one in served.asked if "model.safetensors" in one.path]
        assert weights
        assert all(f"/resolve/{SEEN}/" in path for path in weights)

        evaluate_at_its_commit(client, served, request, studio.project / adapter.location)

        move_on(served, keep=False)
        shutil.rmtree(cache)
        [evaluation] = client.StartEvaluationJob(request).evaluation_jobs
        with pytest.raises(JobFailedError, match=f"(a/model|a/data).*{SEEN}|{SEEN}.*a/data"):
            client.wait_for_job(evaluation.id, SECONDS)


def evaluate_at_its_commit(
    client: FineTuningStudioClient,
    served: TestHub,
    request: StartEvaluationJobRequest,
    folder: Path,
) -> None:
    """Publishes the adapter, registers it, and evaluates it once it has a newer commit."""
    files = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    served.repos["model", "a/adapter"] = Repo("model", "a/adapter", files, commit=SEEN)
    base = request.model_adapter_combinations[0].base_model_id
    published = client.AddAdapter(
        AddAdapterRequest(
            type="huggingface", name="published", model_id=base, huggingface_name="a/adapter"
        )
    ).adapter
    assert published.commit == SEEN
    newer = {**files, "adapter_model.safetensors": b"broken"}
    served.repos["model", "a/adapter"] = Repo(
        "model", "a/adapter", newer, commit=NEWER, earlier={SEEN: files}
    )

    wanted = StartEvaluationJobRequest()
    wanted.CopyFrom(request)
    wanted.model_adapter_combinations[0].adapter_id = published.id
    checked = client.ValidateEvaluationJob(ValidateEvaluationJobRequest(request=wanted))
    assert checked.valid, checked.findings
    [evaluation] = client.StartEvaluationJob(wanted).evaluation_jobs
    assert client.wait_for_job(evaluation.id, SECONDS).rows == 6
    loaded = [one.path for one in served.asked if "a/adapter/resolve" in one.path]
    assert any(f"/{SEEN}/adapter_model.safetensors" in path for path in loaded)
    assert not [path for path in loaded if f"/{NEWER}/" in path]
