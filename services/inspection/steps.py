"""Number of optimizer steps of a training, as `transformers.Trainer` counts them."""

import math

from chassis.rpc.findings import NOTICE, WARNING, Findings
from ft.configs import training
from services.inspection import rules
from services.inspection.settings import JobSettings, number

DEFAULT_EPOCHS = 3.0
"""Epochs where the settings do not say: the default of TrainingArguments."""
_FIELD = "training_arguments_config"


def count_steps(settings: JobSettings, rows: int, findings: Findings) -> tuple[int, int]:
    """Steps in one epoch and in all epochs; 0 for an evaluation, and where they are not known.

    Adds findings about packing, and about settings that the number of steps does not fit.
    """
    arguments = settings.training
    if not settings.tuning:
        return 0, 0
    if arguments.get("packing"):
        description = "packing puts rows together, so the number of steps is not known"
        findings.add(NOTICE, _FIELD, rules.STEPS, description)
        return 0, 0
    workers = max(settings.request.num_workers, 1)
    batch = settings.batch_rows * workers
    batches = rows // batch if arguments.get("dataloader_drop_last") else math.ceil(rows / batch)
    per_epoch = max(math.ceil(batches / number(arguments, "gradient_accumulation_steps", 1)), 1)
    limit = number(arguments, "max_steps", 0)
    epochs = arguments.get("num_train_epochs")
    if not isinstance(epochs, int | float) or epochs <= 0:
        epochs = DEFAULT_EPOCHS
    total = limit or math.ceil(float(epochs) * per_epoch)
    for clause in training.step_notices(arguments, per_epoch, total):
        findings.add(WARNING, _FIELD, rules.STEPS_FIT, clause)
    return per_epoch, total
