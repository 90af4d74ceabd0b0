"""What Axolotl calls while it trains: progress, checkpoints and what lies beside the adapter become
the studio's."""

import os
from pathlib import Path
from typing import Any

from axolotl.integrations.base import BasePlugin

from trainer import beside
from trainer.arguments import fine_tune_arguments
from trainer.axolotl.about import About
from trainer.checkpoints import CheckpointCallback
from trainer.claim import attempt
from trainer.events import EventLog
from trainer.progress import ProgressCallback


class StudioPlugin(BasePlugin):
    """Adds the studio's callbacks, and describes the adapter once it is saved."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(fine_tune_arguments(os.environ).train_out_dir)
        self._events = EventLog(self._folder, attempt(os.environ))
        self._about = About.read(self._folder)
        self._trainer: Any = None

    def add_callbacks_pre_trainer(self, cfg: Any, model: Any) -> list[Any]:  # noqa: ARG002
        """Callbacks for Axolotl's trainer."""
        return [
            ProgressCallback(self._events, **self._about.started),
            CheckpointCallback(self._about.identity, self._about.rows_source()),
        ]

    def post_trainer_create(self, cfg: Any, trainer: Any) -> None:  # noqa: ARG002
        """The trainer, and with it the model, is kept until `post_train_unload`."""
        self._trainer = trainer

    def post_train_unload(self, cfg: Any) -> None:
        """Called once, after the adapter is saved, which `post_train` is not."""
        beside.write(
            self._about.origin(),
            self._about.samples,
            self._trainer,
            Path(cfg.output_dir),
            self._folder,
            self._events,
        )
