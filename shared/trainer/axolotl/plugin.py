"""What Axolotl calls while it trains: progress and checkpoints become the studio's."""

import json
import os
from pathlib import Path
from typing import Any

from axolotl.integrations.base import BasePlugin

from trainer.arguments import fine_tune_arguments
from trainer.axolotl.resolve import ABOUT
from trainer.checkpoints import CheckpointCallback
from trainer.claim import attempt
from trainer.events import EventLog
from trainer.progress import ProgressCallback


class StudioPlugin(BasePlugin):
    """Adds the studio's callbacks."""

    def add_callbacks_pre_trainer(self, cfg: Any, model: Any) -> list[Any]:  # noqa: ARG002
        """Callbacks for Axolotl's trainer."""
        about = json.loads(os.environ[ABOUT])
        folder = Path(fine_tune_arguments(os.environ).train_out_dir)
        events = EventLog(folder, attempt(os.environ))
        return [
            ProgressCallback(events, **about["started"]),
            CheckpointCallback(about["identity"]),
        ]
