"""Process in which Axolotl trains: `python -m trainer.axolotl.process <pid of job> <config>`."""

import logging
import os
import sys
from pathlib import Path

from rows.errors import first_line
from trainer.errors import SettingsError, describe, explain, kind_of
from trainer.job.arguments import fine_tune_arguments
from trainer.job.claim import attempt
from trainer.job.events import EventLog
from trainer.job.library_warnings import LibraryWarnings
from trainer.job.run import log_to_output
from trainer.workers.outcome import WorkerFiles, WorkerOutcome
from trainer.workers.parent_process import end_with_parent

logger = logging.getLogger(__name__)


def main() -> int:
    """Trains as the config says. Returns the exit status; writes the reason of a failure into a
    file."""
    end_with_parent(int(sys.argv[1]))
    log_to_output()
    folder, number = Path(fine_tune_arguments(os.environ).train_out_dir), attempt(os.environ)
    try:
        with LibraryWarnings(EventLog(folder, number).notice):
            _train(sys.argv[2])
    except Exception as error:
        reason = explain(error)
        logger.exception("Axolotl failed: %s", reason)
        outcome = WorkerOutcome(0, kind_of(error), reason, describe(error))
        WorkerFiles(folder, number).write(outcome)
        return 1
    return 0


def _train(config: str) -> None:
    from axolotl.cli.main import cli
    from pydantic import ValidationError

    # Axolotl's own command `axolotl train <config> --launcher python`, in this process.
    sys.argv = ["axolotl"]
    try:
        cli(["train", config, "--launcher", "python"], standalone_mode=False)
    except ValidationError as error:
        # Axolotl's own schema.
        faults = [f"{'.'.join(map(str, e['loc'])) or 'config'}: {e['msg']}" for e in error.errors()]
        raise SettingsError(f"axolotl_config_id: {'; '.join(faults)}") from error
    except ValueError as error:
        raise SettingsError(f"axolotl_config_id: {first_line(error)}") from error


if __name__ == "__main__":
    raise SystemExit(main())
