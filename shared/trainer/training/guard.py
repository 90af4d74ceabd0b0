"""Ends a training whose numbers have gone wrong, and one that has changed nothing.

For every trainer of `transformers`, the studio's own and Axolotl's alike, in each of its processes.
"""

# ruff: noqa: ARG002  # The signatures are the library's.

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from trainer.errors import TrainingError
from trainer.job import ranks
from trainer.model import weights
from trainer.model.hardware import Notify

FILE = "training-start.json"
"""In the job's folder: what a later attempt compares the adapter with."""
MOST_SKIPPED = 10
"""Steps in a row that the loss scaler of fp16 may skip; it skips a few while it finds a scale."""


class TrainingGuard(TrainerCallback):
    """Watches one training. Raises TrainingError within it; `finish` is called after it."""

    def __init__(self, folder: Path, identity: str, resumed: bool, notify: Notify) -> None:
        """`folder` is the job's. `identity` tells its settings and data from others, as that of
        its checkpoints does; with `resumed` it goes on from one of these."""
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
        """Begins, once the trainer has its model."""
        self._trainer = trainer
        trainer.add_callback(self)
        # A callback is not told the loss of each step; logs come seldom, and leave out what is not
        # finite unless they are told not to.
        trainer.args.logging_nan_inf_filter = False
        step = trainer.training_step

        def training_step(*args: Any, **kwargs: Any) -> torch.Tensor:
            loss: torch.Tensor = step(*args, **kwargs)
            self._loss = loss.detach() + (0 if self._loss is None else self._loss)
            return loss

        trainer.training_step = training_step
        self._start = self._kept() or weights.digest(weights.trainable(trainer.model))
        if not ranks.rank():
            kept = {"identity": self._identity, "weights": self._start}
            self._file.write_text(json.dumps(kept))

    def _kept(self) -> str:
        """The weights that the job began with, where this attempt goes on from a checkpoint."""
        if not self._resumed:
            return ""
        try:
            content = json.loads(self._file.read_text())
            return str(content["weights"]) if content["identity"] == self._identity else ""
        except (OSError, ValueError, LookupError, TypeError):
            return ""

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Looks at loss and gradients while the weights are still those of the step before."""
        step = state.global_step + 1
        loss = self._shared_loss()
        if not math.isfinite(loss):
            raise self._broken(f"The loss is {loss} at step {step} of {state.max_steps}", args)
        scaled = getattr(self._trainer.accelerator, "scaler", None) is not None
        if not scaled and not _finite_gradients(self._trainer.model):
            raise self._broken(
                f"A gradient is not finite (nan or inf) at step {step} of {state.max_steps}", args
            )
        self._last = (step, loss)

    def _shared_loss(self) -> float:
        """The mean over the processes: what breaks in one ends all of them for the same reason."""
        found, self._loss = self._loss, None
        if found is None:
            return 0.0
        if ranks.world_size() > 1:
            found = self._trainer.accelerator.reduce(found, "mean")
        return float(found)

    def on_optimizer_step(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        optimizer: Any = None,
        **_: Any,
    ) -> None:
        """Counts what the step has done."""
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
        """Leaves no checkpoint that counts of weights that are not finite."""
        self._require_finite(state, args)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Mapping[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Looks at the loss of an evaluation."""
        loss = (metrics or {}).get("eval_loss", 0.0)
        if not math.isfinite(loss):
            what = f"The evaluation's loss is {loss} after step {state.global_step}"
            raise self._broken(f"{what} of {state.max_steps}", args)

    def finish(self) -> None:
        """Raises TrainingError unless the trained weights are finite and other than those of the
        start. Tells where they are as they were because every learning rate was 0."""
        trainer = self._trainer
        self._require_finite(trainer.state, trainer.args)
        found = weights.trainable(trainer.model)
        steps = trainer.state.global_step
        if weights.digest(found) != self._start:
            self._tell_unused(found)
            return
        if not self._rates + _logged_rates(trainer.state):
            self._notify(
                f"The learning rate was 0 at each of the {steps} steps (warm-up begins with 0): "
                "the adapter is as it was at the start, and changes nothing."
            )
            return
        raise TrainingError(
            f"The training has changed nothing: after {steps} steps the adapter's weights are "
            f"those of the start. {self._why_unmoved()} No adapter is saved."
        )

    def _tell_unused(self, found: Mapping[str, torch.Tensor]) -> None:
        lora = {name: one for name, one in found.items() if ".lora_" in name}
        if len(lora) < len(found) and weights.changes_nothing(_matrices(lora)):
            self._notify(
                "LoRA's matrices are as they were at the start; only other parts of the adapter "
                f"have been trained. {self._why_unmoved()}"
            )

    def _why_unmoved(self) -> str:
        config = self._trainer.model.peft_config["default"]
        if getattr(config, "lora_alpha", 1) == 0:
            return "lora_alpha is 0, by which all that LoRA adds is multiplied: set it above 0."
        if getattr(config, "lora_dropout", 0.0) >= 1:
            return "lora_dropout is 1, which drops all that LoRA is given: set it below 1."
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
            advice.append("a look at the first rows and at the base model")
        else:
            advice += ["more warm-up", "a look for rows unlike the others"]
        return TrainingError(f"{what}. {last} No adapter is saved. Try {', '.join(advice)}.")


def _finite_gradients(model: Any) -> bool:
    found = [one.grad for one in model.parameters() if one.grad is not None]
    return bool(torch.isfinite(torch.nn.utils.get_total_norm(found))) if found else True


def _matrices(lora: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: one for name, one in lora.items() if "magnitude" not in name}


def _logged_rates(state: TrainerState) -> float:
    """Learning rates that were logged, by attempts before this one too."""
    return sum(float(one.get("learning_rate") or 0.0) for one in state.log_history)
