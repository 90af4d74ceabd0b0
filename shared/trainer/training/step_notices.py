"""Notices about the number of steps, which is known when a training begins."""

# ruff: noqa: ARG002  # The signatures are the library's.

from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ft.configs.training import step_notices
from trainer.model.hardware import Notify


class StepNotices(TrainerCallback):
    """Reports effects of the number of steps on the settings; in the first process only."""

    def __init__(self, settings: Mapping[str, Any], notify: Notify) -> None:
        self._settings = settings
        self._notify = notify

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        train_dataloader: Any = None,
        **_: Any,
    ) -> None:
        if not state.is_world_process_zero or train_dataloader is None:
            return
        a_pass = max(len(train_dataloader) // args.gradient_accumulation_steps, 1)
        for clause in step_notices(self._settings, a_pass, state.max_steps):
            self._notify(f"training_arguments_config: {clause}.")
