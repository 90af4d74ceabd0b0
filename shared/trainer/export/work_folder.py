"""Work folders of exports, which leave nothing behind if an export is stopped or killed.

Each is in its job's folder, and has a lock that is held while the export runs. The next export
clears the folders of killed jobs.
"""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from trainer.errors import TrackingError
from trainer.export import registry
from trainer.job.run import ending
from trainer.model.hardware import Notify
from trainer.tracking import runs

FOLDER, LOCK, EXPERIMENT = ".work", ".work.lock", "experiment"
STOP_SECONDS = 5.0
"""Time limit of cleaning up when the job is stopped: the store may be slow, or in the middle of a
call."""


@dataclass(frozen=True)
class WorkFolder:
    """The folder of one export, which exists while it runs."""

    folder: Path
    project: Path

    def logs_into(self, experiment: str) -> None:
        """Records the experiment whose unfinished runs have to be discarded."""
        (self.folder / EXPERIMENT).write_text(experiment, encoding="utf-8")

    def clear(self) -> None:
        """Removes the folder, and the unfinished runs of the experiment. Raises TrackingError, and
        keeps the experiment's name for another try."""
        for path in self.folder.glob("*"):
            if path.name != EXPERIMENT:
                shutil.rmtree(path, ignore_errors=True)
        note = self.folder / EXPERIMENT
        if note.exists():
            with runs.tracking_errors(), runs.connect(self.project):
                registry.discard_unfinished(note.read_text(encoding="utf-8"))
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def within(job_folder: Path, project: Path, notify: Notify) -> Iterator[WorkFolder]:
    """Context of an export with its work folder, which is removed at the end of the block and when
    the job is stopped."""
    job_folder.mkdir(parents=True, exist_ok=True)
    for other in job_folder.parent.glob(f"*/{FOLDER}"):
        # The lock of an export that is running cannot be acquired.
        with suppress(Timeout), FileLock(other.with_name(LOCK), timeout=0):
            _clear(WorkFolder(other, project), notify)
    with FileLock(job_folder / LOCK):
        work = WorkFolder(job_folder / FOLDER, project)
        work.folder.mkdir(exist_ok=True)

        def clear_in_time() -> None:
            # In a thread: the code that a stop has interrupted may hold locks that this waits for.
            thread = threading.Thread(target=_clear, args=(work, notify), daemon=True)
            thread.start()
            thread.join(STOP_SECONDS)

        with ending(clear_in_time):
            yield work


def _clear(work: WorkFolder, notify: Notify) -> None:
    """Clears a folder; an error of the store is a notice."""
    try:
        work.clear()
    except TrackingError as error:
        notify(f"The logged model of an export that has ended early was not deleted. {error}")
