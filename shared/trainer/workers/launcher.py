"""Training with several workers, each a torch elastic agent with one process that trains.

The job's own process starts them, looks after them and ends them together: the first beside
itself, the others through the workspace (`cml.workers_v1`).
"""

import importlib
import logging
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ft.enums import FailureKind
from ft.job_protocol import variables
from ft.job_protocol.template_jobs import FINE_TUNING_SCRIPT
from trainer.errors import UnsupportedError, WorkerError
from trainer.job.arguments import FineTuneArguments
from trainer.job.claim import attempt
from trainer.job.events import EventLog
from trainer.job.ranks import is_loopback
from trainer.job.run import ending, kill
from trainer.workers import agent
from trainer.workers.notices import NoticeCollector
from trainer.workers.outcome import WorkerFiles, WorkerOutcome, cause, ended

logger = logging.getLogger(__name__)

SCRIPT = Path(__file__).parents[1] / "scripts" / FINE_TUNING_SCRIPT
LOOK_SECONDS = 0.25
SETTLE_SECONDS = 1.5
"""How long after the first sign of a failure others are waited for: the cause may show later."""
ASK_SECONDS = 1.0
"""How often the workspace is asked about its workers."""
OVER = ("failed", "stopped", "timedout", "succeeded")
"""What a workspace calls a worker that is not there any more."""
PASSED_ON = (
    variables.JOB_ARGUMENTS,
    variables.ATTEMPT,
    variables.JOB_ID,
    variables.HUB_TOKEN,
    "MLFLOW_TRACKING_URI",
)
"""Variables of the job that a worker needs and that a workspace may not give it by itself."""


class Workers:
    """The workers of one attempt at a job."""

    def __init__(self, arguments: FineTuneArguments, events: EventLog) -> None:
        self._arguments = arguments
        self._events = events
        self._files = WorkerFiles(Path(arguments.train_out_dir), attempt(os.environ))
        self._first: subprocess.Popen[bytes] | None = None
        self._others: dict[int, str] = {}
        """Ids in the workspace, by rank."""
        self._platform = _platform(arguments.dist_num)
        self._asked = 0.0
        self._known: dict[int, int] = {}
        """Exit statuses of workers that the workspace has seen end."""

    def run(self) -> None:
        """Returns once all of them have done their work.

        Raises WorkerError as soon as one of them has failed and all are ended.
        """
        self._files.clear()
        if self._arguments.dist_gpu > 1:
            self._events.notice(
                f"A worker trains on one GPU; of the {self._arguments.dist_gpu} of each, "
                "the others are not used. Ask for more workers with one GPU each."
            )
        notices = NoticeCollector(self._events, self._files, self._arguments.dist_num)
        with ending(self._end):
            try:
                self._start()
                self._watch(notices)
            finally:
                notices.tell(over=True)

    # Their start

    def _start(self) -> None:
        address = os.environ.get(variables.RUN_ADDRESS) or "127.0.0.1"
        shared = {variables.MASTER_IP: address, variables.MASTER_PORT: str(_free_port(address))}
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        for rank in range(1, self._arguments.dist_num):
            self._others[rank] = self._launch({**passed, **shared, variables.NODE_RANK: str(rank)})
        self._await_others()
        self._first = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, str(SCRIPT)],
            env={**os.environ, **shared, variables.NODE_RANK: "0", **self._own_gpus()},
        )

    def _launch(self, environment: dict[str, str]) -> str:
        arguments = self._arguments
        label = arguments.gpu_label_id
        labelled = {"accelerator_label_id": label} if label not in ("", "0", "-1") else {}
        [launched] = self._platform.launch_workers(
            n=1,
            cpu=arguments.dist_cpu,
            memory=arguments.dist_mem,
            nvidia_gpu=max(arguments.dist_gpu, 0),
            script=str(SCRIPT),
            env=environment,
            **labelled,
        )
        return str(launched["id"])

    def _await_others(self) -> None:
        found = self._platform.await_workers(
            list(self._others.values()),
            wait_for_completion=False,
            timeout_seconds=agent.UP_SECONDS,
        )
        if failures := found.get("failures"):
            failed = {str(one["id"] if isinstance(one, dict) else one) for one in failures}
            ranks = [str(rank) for rank, id in self._others.items() if id in failed]
            raise WorkerError(
                f"Workers did not come up: {', '.join(ranks) or len(failed)} "
                f"of {self._arguments.dist_num}.",
                FailureKind.ERROR,
            )

    def _own_gpus(self) -> dict[str, str]:
        """The run may hold the GPUs of all workers; the first one's are the first."""
        visible = [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu]
        wanted = self._arguments.dist_gpu
        return (
            {"CUDA_VISIBLE_DEVICES": ",".join(visible[:wanted])}
            if wanted > 0 < len(visible)
            else {}
        )

    # Their work

    def _watch(self, notices: NoticeCollector) -> None:
        assert self._first is not None
        while self._first.poll() != 0:
            if self._failures():
                raise self._error()
            self._events.touched()
            notices.tell()
            time.sleep(LOOK_SECONDS)

    def _error(self) -> WorkerError:
        until = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < until and len(self._failures()) < self._arguments.dist_num:
            time.sleep(LOOK_SECONDS)
        found = cause(self._failures())
        lines = self._files.last_lines(found.rank)
        if lines:
            logger.error("The last lines of worker %d:\n%s", found.rank, lines)
        reason = found.reason
        if found.kind != FailureKind.USER_ERROR:
            reason = f"Worker {found.rank} of {self._arguments.dist_num}: {reason}"
        detail = "\n".join(part for part in (found.detail, lines) if part)
        return WorkerError(reason, found.kind, detail)

    def _failures(self) -> list[WorkerOutcome]:
        """What went wrong, of each worker that has failed."""
        statuses = {**self._statuses(), 0: self._first.poll() if self._first else None}
        told = (self._files.read(rank) for rank in statuses)
        found = {outcome.rank: outcome for outcome in told if outcome is not None}
        for rank, status in statuses.items():
            if rank not in found and status:
                found[rank] = ended(rank, status)
        return list(found.values())

    def _statuses(self) -> dict[int, int | None]:
        """Exit statuses of the workers in the workspace, None while one runs."""
        if time.monotonic() - self._asked >= ASK_SECONDS:
            self._asked = time.monotonic()
            try:
                self._ask()
            except Exception as error:
                # A workspace that does not answer says nothing of its workers.
                logger.warning("The workspace does not tell how its workers are: %s", error)
        return {rank: self._known.get(rank) for rank in self._others}

    def _ask(self) -> None:
        listed = {str(one["id"]): one for one in self._platform.list_workers()}
        for rank, id in self._others.items():
            worker = listed.get(id, {})
            if worker.get("status") in OVER:
                self._known[rank] = _exit_status(worker)

    # Their end

    def _end(self) -> None:
        if self._first is not None and self._first.poll() is None:
            self._first.terminate()
        if self._others:
            self._stop_others()
        if self._first is not None:
            try:
                self._first.wait(2 * agent.STOP_SECONDS)
            except subprocess.TimeoutExpired:
                kill(self._first)  # and the kernel what it has started

    def _stop_others(self) -> None:
        try:
            self._platform.stop_workers(*self._others.values())
        except Exception as error:
            # Each ends with the first one as well, and why they are ended must not be lost.
            logger.warning("The workspace does not stop the workers: %s", error)


def _platform(workers: int) -> Any:
    try:
        return importlib.import_module("cml.workers_v1")
    except ImportError as error:
        raise UnsupportedError(
            f"Training with {workers} workers needs a workspace or a workbench that starts them; "
            "here is none."
        ) from error


def _exit_status(worker: dict[str, Any]) -> int:
    status = worker.get("exit_code")
    if isinstance(status, int):
        return status
    return 0 if worker.get("status") == "succeeded" else 1


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address if is_loopback(address) else "", 0))
        port: int = probe.getsockname()[1]
        return port
