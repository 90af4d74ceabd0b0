"""Frame of every job's work: copies its output, reports failures, ends when it is stopped."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from ft.job_protocol.events import Failed, Finished
from ft.job_protocol.exit_status import BAD_ARGUMENTS, FAILED, STOPPED, SUCCEEDED
from ft.job_protocol.files import EVENTS_FILE, LOG_FILE
from ft.job_protocol.variables import JOB_TOKEN
from trainer.causes import safe
from trainer.errors import ArgumentsError, EventsError, describe, explain, is_known, kind_of
from trainer.job.arguments import EvaluateArguments, ExportArguments, FineTuneArguments
from trainer.job.claim import attempt, claim
from trainer.job.events import EventLog
from trainer.job.library_warnings import LibraryWarnings
from trainer.job.report_sender import ReportSender
from trainer.job.studio import Identity
from trainer.job.tee import Tee, open_standard_streams

logger = logging.getLogger(__name__)

Arguments = TypeVar("Arguments", FineTuneArguments, EvaluateArguments, ExportArguments)

KILL_SECONDS = 5.0


def run_command(
    read: Callable[[Mapping[str, str]], Arguments],
    folder: Callable[[Arguments], str],
    work: Callable[[Arguments, EventLog], None],
) -> int:
    """Reads the job's arguments and does the work as `run_job` does, in the folder that they name.

    Returns an exit status of `ft.job_protocol.exit_status`.
    """
    try:
        arguments = read(os.environ)
    except ArgumentsError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_ARGUMENTS
    return run_job(
        Path(folder(arguments)), arguments.unknown, lambda events: work(arguments, events)
    )


def run_job(folder: Path, unknown: Sequence[str], work: Callable[[EventLog], None]) -> int:
    """Does the work and returns the exit status: SUCCEEDED, or FAILED with a `Failed` event.

    `folder` gets the log and the events. The log has a traceback where the studio does not know the
    reason of a failure. SIGTERM ends the process at once with status STOPPED. A run that finds that
    another has claimed the job does nothing, and has succeeded.
    """
    identity = Identity.of(os.environ)
    # Taken out of the environment: nobody else in the run needs it.
    os.environ.pop(JOB_TOKEN, None)
    if not claim(folder, os.environ):
        sys.stderr.write("Another run works on this job; this one ends.\n")
        return SUCCEEDED
    tee = Tee(folder / LOG_FILE)
    tee.start()
    try:
        log_to_output()
        _stop_on_sigterm(tee)
        sender = ReportSender(folder / EVENTS_FILE, identity, os.environ)
        with sender if identity.token else nullcontext():
            events = EventLog(folder, attempt(os.environ), sender.wake, reserve=True)
            if unknown:
                # Values stay out of it: nobody knows whether they are fit to be shown.
                flags = ", ".join(word for word in unknown if word.startswith("--"))
                events.notice(
                    "Arguments that this version does not know are ignored: "
                    f"{flags or 'values without a flag'}."
                )
            with LibraryWarnings(events.notice):
                status = _attempt(events, work, tee)
            events.close()
            return status
    except EventsError as error:
        # Said where it can be said: the workspace keeps the output of runs elsewhere.
        tee.stop()
        sys.stderr.write(f"The job has failed: {error}\n")
        return FAILED
    finally:
        tee.stop()


def _attempt(events: EventLog, work: Callable[[EventLog], None], tee: Tee) -> int:
    begin = time.monotonic()
    try:
        work(events)
    except Exception as error:
        reason = explain(error)
        logger.error("The job failed: %s", reason, exc_info=not is_known(error))
        _end_log(events, tee)
        events.write(Failed(kind=kind_of(error), reason=reason, detail=describe(error)))
        return FAILED
    _end_log(events, tee)
    events.write(Finished(seconds=round(time.monotonic() - begin, 1)))
    return SUCCEEDED


def _end_log(events: EventLog, tee: Tee) -> None:
    """Ends the log before the last event is written, and tells what the log lacks."""
    if lost := tee.stop():
        events.notice(lost)


def log_to_output() -> None:
    """Log lines go to the standard error, which takes all of them."""
    open_standard_streams()
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)


class _Formatter(logging.Formatter):
    """Leaves out what libraries advise about loading files unsafely, in tracebacks too."""

    def format(self, record: logging.LogRecord) -> str:
        return safe(super().format(record))


def _stop_on_sigterm(tee: Tee) -> None:
    def stop(*_: object) -> None:
        # Not by an exception: a library's own `except` could swallow it, and its threads could
        # keep the process alive. There is nothing to save; half-written directories are removed
        # by the next attempt.
        with suppress(OSError):
            os.write(2, b"Stopped on request.\n")
        try:
            tee.stop()
        finally:
            os._exit(STOPPED)

    signal.signal(signal.SIGTERM, stop)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a process of the job that is still there. May be called from a handler of signals."""
    process.kill()
    # Without a limit it could wait for a lock that the code below the handler holds.
    with suppress(subprocess.TimeoutExpired):
        process.wait(KILL_SECONDS)


@contextmanager
def ending(end: Callable[[], None]) -> Iterator[None]:
    """Calls `end`, which ends other processes of the job, after the block and before the job is
    stopped: it is over only when nobody prints into its log any more."""
    before: Any = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        try:
            end()
        finally:
            before(number, frame)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        end()
        signal.signal(signal.SIGTERM, before)


def quiet_libraries() -> None:
    """Settings that the libraries read from the environment when they are imported."""
    # OpenMP's threads wait for each other by spinning, which is 50 times slower than sleeping as
    # soon as anything else wants the cores: 5.5 s instead of 0.1 s for a step of the starter model.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "warning")
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
