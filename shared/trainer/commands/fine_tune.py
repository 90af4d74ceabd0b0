"""Entry point of fine-tuning jobs. Light: the heavy libraries come once the arguments are right."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ft.enums import FineTuningFrameworkType
from ft.job_protocol.variables import NODE_RANK
from trainer.errors import UnsupportedError
from trainer.job.arguments import FineTuneArguments, fine_tune_arguments
from trainer.job.events import EventLog
from trainer.job.run import quiet_libraries, run_command
from trainer.workers import agent
from trainer.workers.launcher import Workers


def main() -> int:
    """Trains as the job's arguments say, in the project directory.

    Returns an exit status of `ft.job_protocol.exit_status`.
    """
    if NODE_RANK in os.environ:
        return agent.main()
    return run_command(fine_tune_arguments, lambda arguments: arguments.train_out_dir, _work)


def _work(arguments: FineTuneArguments, events: EventLog) -> None:
    if arguments.finetuning_framework_type not in TRAININGS:
        raise UnsupportedError(f"Framework {arguments.finetuning_framework_type} is not known.")
    if arguments.dist_num > 1:
        Workers(arguments, events).run()
    else:
        quiet_libraries()
        train(arguments, events)


def train(arguments: FineTuneArguments, events: EventLog) -> None:
    """The training in this process, which may be one of several.

    Raises TrainerError or StudioError where the user can do something about it.
    """
    from trainer.job.studio_client import StudioClient

    training = TRAININGS[arguments.finetuning_framework_type]()
    with StudioClient(os.environ) as studio:
        training(arguments, studio, events, Path.cwd()).run()


def _legacy() -> Any:
    from trainer.training.job import FineTuning

    return FineTuning


def _axolotl() -> Any:
    from trainer.axolotl.job import AxolotlFineTuning

    return AxolotlFineTuning


TRAININGS: dict[str, Callable[[], Any]] = {
    FineTuningFrameworkType.LEGACY: _legacy,
    FineTuningFrameworkType.AXOLOTL: _axolotl,
}
"""What trains, by framework; imported only where it is used."""
