"""How many optimiser steps a training has, as `transformers.Trainer` counts them."""

import math
from typing import Any

from services.inspection.settings import JobSettings, number


def steps(settings: JobSettings, rows: int) -> tuple[int, int]:
    """Steps in one pass over the rows, and in all passes."""
    training = settings.training
    workers = max(settings.request.num_workers, 1)
    batch = settings.batch_rows * workers
    batches = rows // batch if training.get("dataloader_drop_last") else math.ceil(rows / batch)
    a_pass = max(math.ceil(batches / number(training, "gradient_accumulation_steps", 1)), 1)
    limit = number(training, "max_steps", 0)
    return a_pass, limit or math.ceil(_passes(training) * a_pass)


def _passes(training: dict[str, Any]) -> float:
    value = training.get("num_train_epochs")
    return float(value) if isinstance(value, int | float) and value > 0 else 3.0
