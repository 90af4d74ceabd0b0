"""Entry point of fine-tuning jobs. Light: the heavy libraries come once the arguments are right."""

import os
import sys
from pathlib import Path

from trainer.arguments import FineTuneArguments, fine_tune_arguments
from trainer.errors import ArgumentsError, UnsupportedError
from trainer.events import EventLog
from trainer.job import quiet_libraries, run_job


def main() -> int:
    """Trains as JOB_ARGUMENTS say, in the project directory. Returns the exit status.

    0: done; 1: failed, the event and the log tell why; 2: arguments that name no folder to tell
    it in; 143: stopped.
    """
    try:
        arguments = fine_tune_arguments(os.environ)
    except ArgumentsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return run_job(
        Path(arguments.train_out_dir), arguments.unknown, lambda events: _train(arguments, events)
    )


def _train(arguments: FineTuneArguments, events: EventLog) -> None:
    if arguments.finetuning_framework_type != "legacy":
        raise UnsupportedError(
            f"Framework {arguments.finetuning_framework_type} is not available yet, only legacy is."
        )
    if arguments.dist_num > 1:
        raise UnsupportedError(
            f"Training with {arguments.dist_num} workers is not available yet, only with one."
        )
    quiet_libraries()
    from trainer.found import FoundStudio
    from trainer.training import FineTuning

    with FoundStudio(os.environ) as studio:
        FineTuning(arguments, studio, events, Path.cwd()).run()
