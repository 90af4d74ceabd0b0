"""Steps of the demo: it trains, evaluates and serves."""

import json
import secrets
import time
from typing import Any

from ft import api
from ft.cli.commands.serve import deployed
from ft.cli.demo.starter import BATCH, GENERATION, LORA, TRAINING, Starter, sentence
from ft.cli.exits import CommandFailed
from ft.cli.options import available
from ft.cli.session import Session
from ft.cli.watch import POLL_SECONDS, failure, follow
from ft.local.served import ServedModelsClient

REGISTERED_WITHIN_SECONDS = 30.0
SERVED_NAME = "demo"
SERVED_WITHIN_SECONDS = 120.0
SAMPLES = 5
"""Number of rows that are asked and shown."""


def fine_tune(
    session: Session, starter: Starter, epochs: int, workers: int
) -> tuple[api.FineTuningJobMetadata, str]:
    """Trains an adapter; returns the job and the id of the adapter."""
    client = session.client
    name = f"demo-{secrets.token_hex(4)}"
    # All workers together have the batch of one, so that several learn the same.
    training = {**TRAINING, "per_device_train_batch_size": BATCH // workers}
    request = api.StartFineTuningJobRequest(
        adapter_name=name,
        base_model_id=starter.model_id,
        dataset_id=starter.dataset_id,
        prompt_id=starter.prompt_id,
        **available(client, cpu=2, memory=4),
        gpu=0,
        num_epochs=epochs,
        num_workers=workers,
        learning_rate=3e-3,
        auto_add_adapter=True,
        lora_config=json.dumps(LORA),
        training_arguments_config=json.dumps(training),
    )
    started = client.StartFineTuningJob(request).fine_tuning_job
    session.out.say(f"job {started.id}")
    job = _succeeded(session, {name: started.id})[name]
    deadline = time.monotonic() + REGISTERED_WITHIN_SECONDS
    while True:
        for adapter in client.get_adapters():
            if adapter.fine_tuning_job_id == job.id:
                return job, adapter.id
        if time.monotonic() > deadline:
            raise CommandFailed(f"job {job.id} has succeeded, but its adapter is not registered")
        time.sleep(0.5)


def _succeeded(session: Session, job_ids: dict[str, str]) -> dict[str, Any]:
    """Waits until all jobs have succeeded. Raises CommandFailed if one has not."""
    watches = {
        title: session.client.watch_job(id, poll=POLL_SECONDS) for title, id in job_ids.items()
    }
    ended = follow(session.out.console, watches, quiet=session.out.json)
    for title, job in ended.items():
        if job.status.state != api.JobState.SUCCEEDED:
            raise failure(session.client, title, job)
    return ended


def evaluate(
    session: Session, starter: Starter, adapter_id: str
) -> tuple[api.EvaluationJobMetadata, api.EvaluationJobMetadata]:
    """Evaluates the base model and the tuned model; returns both jobs."""
    client = session.client
    request = api.StartEvaluationJobRequest(
        type=api.EvaluationJobType.MLFLOW,
        model_adapter_combinations=[
            api.EvaluationJobModelCombination(base_model_id=starter.model_id, adapter_id=id)
            for id in ("", adapter_id)
        ],
        dataset_id=starter.dataset_id,
        prompt_id=starter.prompt_id,
        **available(client, cpu=1, memory=2),
        gpu=0,
        generation_config=json.dumps(GENERATION),
        eval_dataset_fraction=1.0,
    )
    base, tuned = client.StartEvaluationJob(request).evaluation_jobs
    jobs = _succeeded(session, {"base": base.id, "tuned": tuned.id})
    for title, job in jobs.items():
        if "exact_match" not in job.metrics:
            raise CommandFailed(f"the evaluation of the {title} model reports no exact_match")
    return jobs["base"], jobs["tuned"]


def serve(session: Session, adapter_id: str, tuned: api.EvaluationJobMetadata) -> None:
    """Serves the tuned model in place of an earlier demo's, and asks it rows of its evaluation."""
    models = ServedModelsClient(session.home)
    for model in models.all():
        if model.name == SERVED_NAME:
            models.remove(model)
    request = api.ExportModelRequest(
        type=api.ModelExportType.CML_MODEL,
        base_model_id=tuned.base_model_id,
        adapter_id=adapter_id,
        model_name=SERVED_NAME,
        generation_config=json.dumps(GENERATION),
        cpu=1,
        memory=2,
        gpu=0,
    )
    served = deployed(session, models, request, SERVED_WITHIN_SECONDS)
    for sample in list(tuned.samples)[:SAMPLES]:
        answer = str(models.ask(served, {"prompt": sample.input})).strip()
        session.out.say(f"asked {sentence(sample.input)!r}, it answers {answer!r}")
        if answer != sample.output:
            raise CommandFailed(
                f"the served model answers {answer!r}, but its evaluation has {sample.output!r}"
            )
