"""Records that the demo registers, and the settings of its jobs."""

import uuid
from dataclasses import dataclass
from typing import Any

from ft import api
from ft.cli.resources import DATASETS, MODELS, PROMPTS, Resource
from ft.cli.session import Session
from ft.client import FineTuningStudioClient

MODEL = api.AddModelRequest(type=api.ModelType.PROJECT, name="starter", location="starter/model")
DATASET = api.AddDatasetRequest(
    type=api.DatasetType.PROJECT, name="starter-intents", location="starter/intents"
)
PROMPT = api.PromptMetadata(
    type=api.PromptType.IN_PLACE,
    name="starter-intents",
    prompt_template="### CUSTOMER: {customer}\n### ACTION: {action}",
    input_template="### CUSTOMER: {customer}\n### ACTION:",
    completion_template=" {action}",
)
LORA = {
    "r": 16,
    "lora_alpha": 32,
    # Dropout takes a fifth of a step on a CPU, and the starter does not need it.
    "lora_dropout": 0.0,
    "bias": "none",
    "task_type": "CAUSAL_LM",
    "target_modules": "all-linear",
}
BATCH = 16
"""Rows per step of all workers together."""
TRAINING = {
    "gradient_accumulation_steps": 1,
    "logging_steps": 5,
    "lr_scheduler_type": "linear",
    "warmup_ratio": 0.03,
    "max_grad_norm": 1.0,
    "report_to": "none",
}
GENERATION = {"do_sample": False, "max_new_tokens": 12}


@dataclass(frozen=True)
class Starter:
    """Ids of the registered model, dataset and prompt."""

    model_id: str
    dataset_id: str
    prompt_id: str


def register(session: Session) -> Starter:
    """Registers model, dataset and prompt, unless an earlier demo has registered them."""
    client = session.client
    model = _existing(client, MODELS, MODEL) or client.AddModel(MODEL).model
    dataset = _existing(client, DATASETS, DATASET) or client.AddDataset(DATASET).dataset
    wanted = api.PromptMetadata(dataset_id=dataset.id)
    wanted.MergeFrom(PROMPT)
    prompt = _existing(client, PROMPTS, wanted)
    if prompt is None:
        wanted.id = str(uuid.uuid4())
        prompt = client.AddPrompt(api.AddPromptRequest(prompt=wanted)).prompt
    for kind, item in (("model", model), ("dataset", dataset), ("prompt", prompt)):
        session.out.say(f"{kind} {item.name}  {item.id}")
    return Starter(model.id, dataset.id, prompt.id)


def _existing(client: FineTuningStudioClient, resource: Resource, wanted: Any) -> Any | None:
    """The record of an earlier demo that has the same fields; None if there is none."""
    fields = [(field.name, value) for field, value in wanted.ListFields()]
    for item in resource.all(client):
        if all(getattr(item, name) == value for name, value in fields):
            return item
    return None


def sentence(text: str) -> str:
    """The text of the row, without the prompt around it."""
    before, _, after = PROMPT.input_template.partition("{customer}")
    return text.removeprefix(before).removesuffix(after)
