"""Files in an adapter's directory in addition to its weights: its manifest, and answers to verify
it with."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ft.job_protocol.events import ManifestWritten
from ft.job_protocol.files import ANSWERS_FILE
from trainer.data.questions import ModelInput
from trainer.errors import explain
from trainer.job.events import EventLog
from trainer.model import manifest
from trainer.serving import trained_answers

logger = logging.getLogger(__name__)


def write(
    origin: manifest.Origin,
    samples: Sequence[ModelInput],
    trainer: Any,
    folder: Path,
    job_folder: Path,
    events: EventLog,
) -> None:
    """Adds the files to the adapter that was saved in `folder`, and writes the manifest as an
    event.

    `trainer` has trained the adapter. `samples` are the inputs whose answers are recorded.
    """
    # Those of an earlier attempt belong to another adapter.
    (folder / ANSWERS_FILE).unlink(missing_ok=True)
    try:
        tokenizer = trainer.processing_class
        trained_answers.record(trainer.model, tokenizer, origin.prompt, samples, folder)
    except Exception as error:
        # The training is done and must not be lost.
        logger.exception("The adapter's answers are not recorded")
        events.notice(f"The adapter's answers are not recorded: {explain(error)}")
    written = manifest.write(origin, trainer, folder, job_folder / manifest.HASH_CACHE_FILE)
    events.write(ManifestWritten(manifest=written))
