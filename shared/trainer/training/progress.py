"""Events about the progress of a training."""

# ruff: noqa: ARG002  # The signatures are the library's.

import time
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ft.job_protocol.events import Progress, Started
from trainer.job.events import EventLog

QUIET_SECONDS = 1.0
"""Minimum interval of reports about steps that are not logged."""


class ProgressCallback(TrainerCallback):
    """Writes `started` and `progress` events; in the first process only."""

    def __init__(self, events: EventLog, **about: Any) -> None:
        self._events = events
        self._about = about
        self._first_step = self._last_step = 0
        self._begin = self._reported = self._counted = time.monotonic()
        self._tokens = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._first_step = state.global_step
        self._begin = self._reported = self._counted = time.monotonic()
        if state.is_world_process_zero:
            self._events.write(Started(total_steps=state.max_steps, seed=args.seed, **self._about))

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if state.global_step >= state.max_steps or control.should_training_stop:
            control.should_log = True  # so that a job of few steps has its loss as well
        # A step that is logged is reported with its loss by on_log, which comes right after.
        if time.monotonic() - self._reported >= QUIET_SECONDS and not control.should_log:
            self._report(state)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if self._last_step != state.global_step:
            self._report(state)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        logs = logs or {}
        if "loss" in logs:
            rate = None
            if (tokens := logs.get("num_tokens")) is not None:
                # The tokens count from the start of the training; the rate is since the last log.
                now = time.monotonic()
                gained, elapsed = tokens - self._tokens, now - self._counted
                self._tokens, self._counted = tokens, now
                rate = round(gained / elapsed, 1) if elapsed > 0 and gained > 0 else None
            self._report(
                state,
                loss=logs["loss"],
                learning_rate=logs.get("learning_rate"),
                tokens_per_second=rate,
            )
        elif "eval_loss" in logs:
            self._report(state, eval_loss=logs["eval_loss"])

    def _report(self, state: TrainerState, **measured: Any) -> None:
        self._reported = now = time.monotonic()
        self._last_step = state.global_step
        done = state.global_step - self._first_step
        left = state.max_steps - state.global_step
        if state.is_world_process_zero:
            self._events.write(
                Progress(
                    step=state.global_step,
                    total_steps=state.max_steps,
                    epoch=state.epoch,
                    seconds_left=round((now - self._begin) / done * left, 1) if done else None,
                    **measured,
                )
            )
