"""Early stopping: a training ends when evaluations show no less loss, and keeps its best step."""

# ruff: noqa: ARG002  # The signatures are the library's.

from collections.abc import Mapping
from typing import Any

from transformers import (
    EarlyStoppingCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from trainer.model.hardware import Notify

PATIENCE, THRESHOLD = "early_stopping_patience", "early_stopping_threshold"


def with_defaults(settings: dict[str, Any]) -> dict[str, Any]:
    """The training settings with those that early stopping requires, if they ask for it."""
    if settings.get(PATIENCE) is None:
        return settings
    return {
        "metric_for_best_model": "eval_loss",
        # Another attempt continues the count of the previous one.
        "restore_callback_states_from_checkpoint": True,
        **settings,
        "load_best_model_at_end": True,
    }


def callbacks(settings: Mapping[str, Any], notify: Notify) -> list[TrainerCallback]:
    """Callbacks that stop the training early and report it; none if the settings do not ask for
    it."""
    if settings.get(PATIENCE) is None:
        return []
    patience = int(settings[PATIENCE])
    threshold = float(settings.get(THRESHOLD, 0.0))
    return [EarlyStoppingCallback(patience, threshold), _EarlyStopNotice(patience, notify)]


class _EarlyStopNotice(TrainerCallback):
    """Reports that the training has ended early."""

    def __init__(self, patience: int, notify: Notify) -> None:
        self._patience = patience
        self._notify = notify

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if state.global_step < state.max_steps and state.is_world_process_zero:
            self._notify(
                f"Training ended early at step {state.global_step} of {state.max_steps}: "
                f"the loss did not decrease in {self._patience} evaluations. The adapter is that "
                f"of the best step, {state.best_global_step}."
            )
