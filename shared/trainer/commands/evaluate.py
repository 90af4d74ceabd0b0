"""Entry point of evaluation jobs. Light: the heavy libraries come once the arguments are right."""

import os
import sys
from pathlib import Path

from trainer.errors import ArgumentsError
from trainer.job.arguments import EvaluateArguments, evaluate_arguments
from trainer.job.events import EventLog
from trainer.job.run import quiet_libraries, run_job


def main() -> int:
    """Evaluates as JOB_ARGUMENTS say, in the project directory. Returns the exit status.

    0: done; 1: failed, the event and the log tell why; 2: arguments that name no folder to tell
    it in; 143: stopped.
    """
    try:
        arguments = evaluate_arguments(os.environ)
    except ArgumentsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return run_job(
        Path(arguments.result_dir), arguments.unknown, lambda events: _evaluate(arguments, events)
    )


def _evaluate(arguments: EvaluateArguments, events: EventLog) -> None:
    quiet_libraries()
    from trainer.evaluation.job import Evaluation
    from trainer.job.found import FoundStudio

    with FoundStudio(os.environ) as studio:
        Evaluation(arguments, studio, events, Path.cwd()).run()
