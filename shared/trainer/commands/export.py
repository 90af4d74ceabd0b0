"""Entry point of export jobs. Light: the heavy libraries come once the arguments are right."""

import os
from pathlib import Path

from trainer.job.arguments import ExportArguments, export_arguments
from trainer.job.events import EventLog
from trainer.job.run import quiet_libraries, run_command
from trainer.job.studio import Identity


def main() -> int:
    """Exports as the job's arguments say, in the project directory.

    Returns an exit status of `ft.job_protocol.exit_status`.
    """
    # Read before the job takes the token out of the environment.
    identity = Identity.of(os.environ)
    return run_command(
        export_arguments,
        lambda arguments: arguments.result_dir,
        lambda arguments, events: _export(arguments, identity, events),
    )


def _export(arguments: ExportArguments, identity: Identity, events: EventLog) -> None:
    quiet_libraries()
    from trainer.export.job import Export
    from trainer.job.studio_client import StudioClient

    with StudioClient(os.environ) as studio:
        Export(arguments, identity, studio, events, Path.cwd()).run()
