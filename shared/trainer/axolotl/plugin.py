"""Axolotl plugin that adds the studio's progress events, checkpoints and adapter files to a
training."""

import os
from pathlib import Path
from typing import Any

from axolotl.integrations.base import BasePlugin

from trainer.axolotl.context import TrainingContext
from trainer.job.arguments import fine_tune_arguments
from trainer.job.claim import attempt
from trainer.job.events import EventLog
from trainer.model.loading import require_finite
from trainer.training import adapter_files
from trainer.training.checkpoints import CheckpointCallback
from trainer.training.guard import TrainingGuard
from trainer.training.progress import ProgressCallback


class StudioPlugin(BasePlugin):
    """Adds the studio's callbacks, and writes the adapter's files after it is saved."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(fine_tune_arguments(os.environ).train_out_dir)
        self._events = EventLog(self._folder, attempt(os.environ))
        self._context = TrainingContext.read(self._folder)
        self._trainer: Any = None
        self._guard: TrainingGuard | None = None

    def add_callbacks_pre_trainer(self, cfg: Any, model: Any) -> list[Any]:  # noqa: ARG002
        """Callbacks for Axolotl's trainer."""
        return [
            ProgressCallback(self._events, **self._context.started),
            CheckpointCallback(
                self._context.identity, self._context.rows_source(), base=self._context.base
            ),
        ]

    def post_model_load(self, cfg: Any, model: Any) -> None:  # noqa: ARG002
        """Raises ModelError if a weight of the model has a value that is not finite."""
        require_finite(self._context.source, model)

    def post_trainer_create(self, cfg: Any, trainer: Any) -> None:
        """Starts the checks of the training. Keeps the trainer, with its model, until
        `post_train_unload`."""
        self._trainer = trainer
        resumed = bool(cfg.resume_from_checkpoint)
        identity, notify = self._context.identity, self._events.notice
        self._guard = TrainingGuard(self._folder, identity, resumed, notify)
        self._guard.watch(trainer)

    def post_train_unload(self, cfg: Any) -> None:
        """Called once after the adapter is saved; `post_train` is called before that.

        Raises TrainingError if the training has broken the adapter or changed nothing.
        """
        if self._guard is not None:
            self._guard.finish()
        adapter_files.write(
            self._context.origin(),
            self._context.samples,
            self._trainer,
            Path(cfg.output_dir),
            self._folder,
            self._events,
        )
