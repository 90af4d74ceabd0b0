"""What lies beside a trained adapter: where it came from, and answers to verify it with."""

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
    """Adds the files to the adapter that the process of `trainer`, which has trained it, has saved
    in `folder`; the manifest is told as well. `samples` are what the model is asked."""
    _record_answers(origin, samples, trainer, folder, events)
    written = manifest.write(origin, trainer, folder, job_folder / manifest.HASH_CACHE_FILE)
    events.write(ManifestWritten(manifest=written))


def _record_answers(
    origin: manifest.Origin,
    samples: Sequence[ModelInput],
    trainer: Any,
    folder: Path,
    events: EventLog,
) -> None:
    tokenizer = trainer.processing_class
    # Those of an earlier attempt are another adapter's.
    (folder / ANSWERS_FILE).unlink(missing_ok=True)
    try:
        trained_answers.record(trainer.model, tokenizer, origin.prompt, samples, folder)
    except Exception as error:
        # The training is done, and must not be for nothing.
        logger.exception("The adapter's answers are not recorded")
        events.notice(f"The adapter's answers are not recorded: {explain(error)}")
