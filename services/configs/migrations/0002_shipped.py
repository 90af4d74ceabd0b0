"""The configs that the studio ships.

Their ids are derived from what they are, so that they are the same in every studio.
"""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NAMESPACE = uuid.UUID("d4cc2431-93b0-4638-ab33-e6d903fbe96b")

SETTINGS: dict[str, dict[str, Any]] = {
    "lora_config": {
        "r": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.05,
        "bias": "none",
        "task_type": "CAUSAL_LM",
    },
    "bitsandbytes_config": {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_compute_dtype": "float16",
        "bnb_4bit_use_double_quant": True,
        "quant_method": "bitsandbytes",
    },
    "training_arguments": {
        "num_train_epochs": 1,
        "optim": "paged_adamw_32bit",
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 4,
        "warmup_ratio": 0.03,
        "max_grad_norm": 0.3,
        "learning_rate": 2e-4,
        "fp16": True,
        "logging_steps": 1,
        "lr_scheduler_type": "constant",
        "disable_tqdm": True,
        "report_to": "mlflow",
        "ddp_find_unused_parameters": False,
    },
    "generation_config": {
        "do_sample": True,
        "temperature": 0.8,
        "max_new_tokens": 60,
        "top_p": 1,
        "top_k": 50,
        "num_beams": 1,
        "repetition_penalty": 1.1,
    },
}

FORMATS: dict[str, tuple[str, ...]] = {
    "alpaca": ("instruction", "input", "output"),
    "jeopardy": ("question", "category", "answer"),
    "oasst": ("INSTRUCTION", "RESPONSE"),
    "gpteacher": ("instruction", "input", "response"),
    "reflection": ("instruction", "input", "output", "reflection", "corrected"),
    "explainchoice": ("question", "choices", "solution", "explanation"),
    "concisechoice": ("question", "choices", "solution", "explanation"),
    "summarizetldr": ("article", "summary"),
    "alpaca_chat": ("instruction", "input", "response"),
    "alpaca_chat.load_qa": ("question", "answer"),
    "alpaca_chat.load_concise": ("instruction", "input", "response"),
    "alpaca_chat.load_camel_ai": ("message_1", "message_2"),
    "alpaca_w_system.load_open_orca": ("system_prompt", "question", "response"),
    "context_qa": ("article", "question", "answer"),
    "context_qa.load_v2": ("context", "question", "answer"),
    "context_qa.load_404": ("article", "unanswerable_question"),
    "creative_acr.load_answer": ("instruction", "revision"),
    "creative_acr.load_critique": ("scores", "critiques", "instruction", "answer"),
    "creative_acr.load_revise": ("scores", "critiques", "instruction", "answer", "revision"),
    "metharme": ("prompt", "generation"),
}
"""Columns of each Axolotl dataset format, in the order in which they make up the text."""


def upgrade() -> None:
    configs = sa.table(
        "configs",
        sa.column("id", sa.String),
        sa.column("type", sa.String),
        sa.column("description", sa.String),
        sa.column("config", sa.String),
        sa.column("is_default", sa.Integer),
        sa.column("created_at", sa.DateTime),
        sa.column("updated_at", sa.DateTime),
    )
    settings = [
        _row(kind, None, _compact(values, sort_keys=True)) for kind, values in SETTINGS.items()
    ]
    formats = [
        _row("axolotl_dataset_formats", name, _compact(dict.fromkeys(columns, "...")))
        for name, columns in FORMATS.items()
    ]
    op.bulk_insert(configs, [*settings, *formats])


def _row(kind: str, description: str | None, config: str) -> dict[str, Any]:
    now = datetime.now(UTC).replace(tzinfo=None)
    return {
        "id": str(uuid.uuid5(NAMESPACE, f"{kind} {description or ''}".strip())),
        "type": kind,
        "description": description,
        "config": config,
        "is_default": 1,
        "created_at": now,
        "updated_at": now,
    }


def _compact(content: dict[str, Any], *, sort_keys: bool = False) -> str:
    return json.dumps(content, sort_keys=sort_keys, separators=(",", ":"))
