"""Where exports work: nothing of one that is stopped or killed stays behind for good.

Each has a folder in its job's, and a lock that it holds for as long as it lives. What a job that
was killed has left, whoever exports next cleans up.
"""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
"""How long cleaning up may take when the job is stopped; the store may be slow, or in the midst of
something that the stop has interrupted."""


@dataclass(frozen=True)
class WorkFolder:
    """The folder of one export, in which everything is for the time of the work alone."""

    folder: Path
    project: Path

    def logs_into(self, experiment: str) -> None:
        """From now on runs of that experiment, which is the job's own, may have to be discarded."""
        (self.folder / EXPERIMENT).write_text(experiment, encoding="utf-8")

    def clear(self) -> None:
        """Removes the folder, and the unfinished runs of the experiment. Raises TrackingError; what
        is to be known for another try is left then."""
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
    """A folder to work in, which is gone after the block and before the job is stopped."""
    job_folder.mkdir(parents=True, exist_ok=True)
    for other in job_folder.parent.glob(f"*/{FOLDER}"):
        _clear_dead(WorkFolder(other, project), notify)
    with FileLock(job_folder / LOCK):
        work = WorkFolder(job_folder / FOLDER, project)
        work.folder.mkdir(exist_ok=True)
        with ending(lambda: _clear_in_time(work, notify)):
            yield work


def _clear_dead(work: WorkFolder, notify: Notify) -> None:
    try:
        with FileLock(work.folder.with_name(LOCK), timeout=0):
            _clear(work, notify)
    except Timeout:
        return  # It is at work.


def _clear_in_time(work: WorkFolder, notify: Notify) -> None:
    # In a thread, since the code that a stop has interrupted may hold what this waits for.
    thread = threading.Thread(target=_clear, args=(work, notify), daemon=True)
    thread.start()
    thread.join(STOP_SECONDS)


def _clear(work: WorkFolder, notify: Notify) -> None:
    try:
        work.clear()
    except TrackingError as error:
        notify(f"What was logged of an export that has ended early is still there. {error}")
