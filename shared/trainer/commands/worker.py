"""One of several processes that train together.

Run as `python -m trainer.commands.worker <pid of its agent>`.
"""

import logging
import os
import sys
from pathlib import Path

from trainer.commands.fine_tune import train
from trainer.errors import describe, explain, is_known, kind_of
from trainer.job.arguments import fine_tune_arguments
from trainer.job.claim import attempt
from trainer.job.events import EventLog, WorkerNotices
from trainer.job.library_warnings import LibraryWarnings
from trainer.job.ranks import rank, threads
from trainer.job.run import log_to_output, quiet_libraries
from trainer.workers.outcome import WorkerFiles, WorkerOutcome
from trainer.workers.parent_process import end_with_parent

logger = logging.getLogger(__name__)


def main() -> int:
    """Trains with the others. Returns the exit status. The first process alone tells events; of
    the others the job's own process tells the notices."""
    end_with_parent(int(sys.argv[1]))
    log_to_output()
    quiet_libraries()
    arguments = fine_tune_arguments(os.environ)
    # Otherwise a library takes all cores of the machine for this process.
    granted = arguments.dist_cpu or len(os.sched_getaffinity(0))
    os.environ["OMP_NUM_THREADS"] = str(threads(granted))
    folder, number = Path(arguments.train_out_dir), attempt(os.environ)
    files = WorkerFiles(folder, number)
    events = WorkerNotices(files.notices(rank())) if rank() else EventLog(folder, number)
    try:
        with LibraryWarnings(events.notice):
            train(arguments, events)
    except Exception as error:
        reason = explain(error)
        logger.error("Worker %d failed: %s", rank(), reason, exc_info=not is_known(error))
        outcome = WorkerOutcome(rank(), kind_of(error), reason, describe(error))
        files.write(outcome)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
