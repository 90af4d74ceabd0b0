"""Entry point of evaluation jobs. Light: the heavy libraries come once the arguments are right."""

import os
from pathlib import Path

from trainer.job.arguments import EvaluateArguments, evaluate_arguments
from trainer.job.events import EventLog
from trainer.job.run import quiet_libraries, run_command


def main() -> int:
    """Evaluates as the job's arguments say, in the project directory.

    Returns an exit status of `ft.job_protocol.exit_status`.
    """
    return run_command(evaluate_arguments, lambda arguments: arguments.result_dir, _evaluate)


def _evaluate(arguments: EvaluateArguments, events: EventLog) -> None:
    quiet_libraries()
    from trainer.evaluation.job import Evaluation
    from trainer.job.studio_client import StudioClient

    with StudioClient(os.environ) as studio:
        Evaluation(arguments, studio, events, Path.cwd()).run()
