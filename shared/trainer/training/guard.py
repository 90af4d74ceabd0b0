"""Ends a training whose numbers are not finite, or that has changed nothing.

Used with every trainer of `transformers`, the studio's own and Axolotl's, in each of its processes.
"""

# ruff: noqa: ARG002  # The signatures are the library's.

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from trainer.errors import TrainingError
from trainer.job import ranks
from trainer.model import weights
from trainer.model.hardware import Notify

FILE = "training-start.json"
"""File in the job's folder with the hash of the first weights, for later attempts."""
MOST_SKIPPED = 10
"""Consecutive steps that the loss scaler of fp16 may skip; it skips a few to find a scale."""


class TrainingGuard(TrainerCallback):
    """Checks one training. Raises TrainingError during it; `finish` is called after it."""

    def __init__(self, folder: Path, identity: str, resumed: bool, notify: Notify) -> None:
        """`folder` is the job's, `identity` that of its checkpoints; `resumed` means that it
        continues from one."""
        self._file = folder / FILE
        self._identity = identity
        self._resumed = resumed
        self._notify = notify
        self._trainer: Any = None
        self._loss: torch.Tensor | None = None
        """Sum of the losses of a step so far, on their device."""
        self._last: tuple[int, float] | None = None
        """The last step whose loss was finite, and that loss."""
        self._skipped = self._all_skipped = 0
        self._rates = 0.0
        """Sum of the learning rates of this attempt's steps."""
        self._start = ""

    def watch(self, trainer: Any) -> None:
        """Starts the checks, after the trainer has its model."""
        self._trainer = trainer
        trainer.add_callback(self)
        # Callbacks do not get the loss of each step. Logs are rare, and by default leave out values
        # that are not finite.
        trainer.args.logging_nan_inf_filter = False
        step = trainer.training_step

        def training_step(*args: Any, **kwargs: Any) -> torch.Tensor:
            loss: torch.Tensor = step(*args, **kwargs)
            self._loss = loss.detach() + (0 if self._loss is None else self._loss)
            return loss

        trainer.training_step = training_step
        if self._resumed:
            with suppress(OSError, ValueError, LookupError, TypeError):
                content = json.loads(self._file.read_text())
                if content["identity"] == self._identity:
                    self._start = str(content["weights"])
        self._start = self._start or weights.digest(weights.trainable(trainer.model))
        if not ranks.rank():
            kept = {"identity": self._identity, "weights": self._start}
            self._file.write_text(json.dumps(kept))

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Checks loss and gradients before the weights change."""
        step = state.global_step + 1
        found, self._loss = self._loss, None
        if found is not None and ranks.world_size() > 1:
            # The mean over the processes, so that all of them end for the same reason.
            found = self._trainer.accelerator.reduce(found, "mean")
        loss = 0.0 if found is None else float(found)
        if not math.isfinite(loss):
            raise self._broken(f"The loss is {loss} at step {step} of {state.max_steps}", args)
        scaled = getattr(self._trainer.accelerator, "scaler", None) is not None
        gradients = [one.grad for one in self._trainer.model.parameters() if one.grad is not None]
        # With a scaler, gradients that are not finite only skip a step.
        if gradients and not scaled and not torch.nn.utils.get_total_norm(gradients).isfinite():
            raise self._broken(
                f"A gradient is not finite (nan or inf) at step {step} of {state.max_steps}", args
            )
        self._last = (step, loss)

    def on_optimizer_step(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        optimizer: Any = None,
        **_: Any,
    ) -> None:
        """Counts learning rates and skipped steps."""
        groups = optimizer.param_groups if optimizer is not None else []
        self._rates += max((float(group["lr"]) for group in groups), default=0.0)
        skipped = self._trainer.accelerator.optimizer_step_was_skipped
        self._all_skipped += skipped
        self._skipped = self._skipped + 1 if skipped else 0
        if self._skipped > MOST_SKIPPED:
            raise self._broken(
                f"The loss scaler of fp16 has skipped {self._skipped} steps in a row, up to step "
                f"{state.global_step + 1} of {state.max_steps}: the gradients are not finite",
                args,
            )

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Refuses to save a checkpoint with weights that are not finite."""
        self._require_finite(state, args)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Mapping[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Checks the loss of an evaluation."""
        loss = (metrics or {}).get("eval_loss", 0.0)
        if not math.isfinite(loss):
            what = f"The evaluation's loss is {loss} after step {state.global_step}"
            raise self._broken(f"{what} of {state.max_steps}", args)

    def finish(self) -> None:
        """Raises TrainingError unless the trained weights are finite and have changed. If they have
        not because every learning rate was 0, this is a notice."""
        trainer = self._trainer
        self._require_finite(trainer.state, trainer.args)
        found = weights.trainable(trainer.model)
        steps = trainer.state.global_step
        if weights.digest(found) != self._start:
            lora = {name: one for name, one in found.items() if ".lora_" in name}
            matrices = {name: one for name, one in lora.items() if "magnitude" not in name}
            if len(lora) < len(found) and weights.changes_nothing(matrices):
                self._notify(
                    "LoRA's matrices are as they were at the start; only other parts of the "
                    f"adapter have been trained. {self._why_unmoved()}"
                )
            return
        # Rates in the log are also those of earlier attempts.
        logged = (float(one.get("learning_rate") or 0.0) for one in trainer.state.log_history)
        if not self._rates + sum(logged):
            self._notify(
                f"The learning rate was 0 at each of the {steps} steps (warm-up begins with 0): "
                "the adapter is as it was at the start, and changes nothing."
            )
            return
        raise TrainingError(
            f"The training has changed nothing: after {steps} steps the adapter's weights are "
            f"those of the start. {self._why_unmoved()} No adapter is saved."
        )

    def _why_unmoved(self) -> str:
        config = self._trainer.model.peft_config["default"]
        if getattr(config, "lora_alpha", 1) == 0:
            return "lora_alpha is 0, so LoRA adds nothing: set it above 0."
        if getattr(config, "lora_dropout", 0.0) >= 1:
            return "lora_dropout is 1, so LoRA gets no input: set it below 1."
        if self._all_skipped:
            return (
                f"The loss scaler of fp16 has skipped {self._all_skipped} steps: train with bf16 "
                "in its place, or with more steps."
            )
        return "Look at learning_rate, max_grad_norm and lora_config."

    def _require_finite(self, state: TrainerState, args: TrainingArguments) -> None:
        named = weights.trainable(self._trainer.model)
        if wrong := [name for name, one in named.items() if not weights.is_finite(one)]:
            what = f"{len(wrong)} of {len(named)} trained weights are not finite (nan or inf)"
            raise self._broken(f"{what} after step {state.global_step} of {state.max_steps}", args)

    def _broken(self, what: str, args: TrainingArguments) -> TrainingError:
        last = "No step had a finite loss."
        if self._last is not None:
            last = f"The last finite loss was {self._last[1]:.4g} at step {self._last[0]}."
        advice = [f"a learning_rate below {args.learning_rate:g}"]
        if args.fp16:
            advice.append("bf16 in place of fp16")
        if self._last is None:
            check = "Check the first rows and the base model."
        else:
            advice.append("more warm-up")
            check = "Check for rows that differ from the others."
        advised = f"Try {', '.join(advice)}. {check}"
        return TrainingError(f"{what}. {last} No adapter is saved. {advised}")
