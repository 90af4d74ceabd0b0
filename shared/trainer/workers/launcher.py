"""Training with several workers, each a torch elastic agent with one process that trains.

The job's own process starts, watches and ends them: the first as its child, the others through the
workspace (`cml.workers_v1`).
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
POLL_SECONDS = 0.25
SETTLE_SECONDS = 1.5
"""Time after the first failure in which others are collected: the cause may be reported later."""
QUERY_SECONDS = 1.0
"""Interval of queries about the workers in the workspace."""
OVER = ("failed", "stopped", "timedout", "succeeded")
"""Statuses of workers that have ended in the workspace."""
PASSED_ON = (
    variables.JOB_ARGUMENTS,
    variables.ATTEMPT,
    variables.JOB_ID,
    variables.HUB_TOKEN,
    "MLFLOW_TRACKING_URI",
)
"""Variables of the job that a worker needs and that a workspace may not pass on."""


class Workers:
    """The workers of one attempt at a job."""

    def __init__(self, arguments: FineTuneArguments, events: EventLog) -> None:
        self._arguments = arguments
        self._events = events
        self._files = WorkerFiles(Path(arguments.train_out_dir), attempt(os.environ))
        self._first: subprocess.Popen[bytes] | None = None
        self._others: dict[int, str] = {}
        """Ids of workers in the workspace, by rank."""
        self._platform = _platform(arguments.dist_num)
        self._asked = 0.0
        self._known: dict[int, int] = {}
        """Exit statuses of workers that the workspace has seen end."""

    def run(self) -> None:
        """Starts the workers and waits until all of them have succeeded.

        Raises WorkerError when one of them has failed and all are ended.
        """
        self._files.clear()
        if self._arguments.dist_gpu > 1:
            self._events.notice(
                f"Each worker trains on one of its {self._arguments.dist_gpu} GPUs; the others are "
                "not used. Request more workers with one GPU each."
            )
        notices = NoticeCollector(self._events, self._files, self._arguments.dist_num)
        with ending(self._end):
            try:
                self._start()
                self._watch(notices)
            finally:
                notices.report(over=True)

    # Their start

    def _start(self) -> None:
        address = os.environ.get(variables.RUN_ADDRESS) or "127.0.0.1"
        with socket.socket() as probe:
            probe.bind((address if is_loopback(address) else "", 0))
            port = probe.getsockname()[1]
        shared = {variables.MASTER_IP: address, variables.MASTER_PORT: str(port)}
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        for rank in range(1, self._arguments.dist_num):
            self._others[rank] = self._launch({**passed, **shared, variables.NODE_RANK: str(rank)})
        found = self._platform.await_workers(
            list(self._others.values()),
            wait_for_completion=False,
            timeout_seconds=agent.UP_SECONDS,
        )
        if failures := found.get("failures"):
            failed = {str(one["id"] if isinstance(one, dict) else one) for one in failures}
            ranks = [str(rank) for rank, id in self._others.items() if id in failed]
            raise WorkerError(
                f"Workers that did not start: {', '.join(ranks) or len(failed)} "
                f"(of {self._arguments.dist_num} workers).",
                FailureKind.ERROR,
            )
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

    def _own_gpus(self) -> dict[str, str]:
        """Environment with the first worker's GPUs: the first of those that the run holds."""
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
                raise self._failure()
            self._events.touched()
            notices.report()
            time.sleep(POLL_SECONDS)

    def _failure(self) -> WorkerError:
        until = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < until and len(self._failures()) < self._arguments.dist_num:
            time.sleep(POLL_SECONDS)
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
        """The outcome of each worker that has failed."""
        statuses = {**self._statuses(), 0: self._first.poll() if self._first else None}
        reported = (self._files.read(rank) for rank in statuses)
        found = {outcome.rank: outcome for outcome in reported if outcome is not None}
        for rank, status in statuses.items():
            if rank not in found and status:
                found[rank] = ended(rank, status)
        return list(found.values())

    def _statuses(self) -> dict[int, int | None]:
        """Exit statuses of the workers in the workspace; None for those that run."""
        if time.monotonic() - self._asked >= QUERY_SECONDS:
            self._asked = time.monotonic()
            try:
                listed = {str(one["id"]): one for one in self._platform.list_workers()}
                for rank, id in self._others.items():
                    worker = listed.get(id, {})
                    if worker.get("status") in OVER:
                        code = worker.get("exit_code")
                        succeeded = worker["status"] == "succeeded"
                        self._known[rank] = code if isinstance(code, int) else int(not succeeded)
            except Exception as error:
                # A workspace that does not answer is not a failure of its workers.
                logger.warning("The workspace does not list its workers: %s", error)
        return {rank: self._known.get(rank) for rank in self._others}

    # Their end

    def _end(self) -> None:
        if self._first is not None and self._first.poll() is None:
            self._first.terminate()
        if self._others:
            try:
                self._platform.stop_workers(*self._others.values())
            except Exception as error:
                # The others end with the first one too, and the reason of the end must not be lost.
                logger.warning("The workspace does not stop the workers: %s", error)
        if self._first is not None:
            try:
                self._first.wait(2 * agent.STOP_SECONDS)
            except subprocess.TimeoutExpired:
                kill(self._first)  # and the kernel what it has started


def _platform(workers: int) -> Any:
    try:
        return importlib.import_module("cml.workers_v1")
    except ImportError as error:
        raise UnsupportedError(
            f"Training with {workers} workers needs a workspace or a workbench that starts them, "
            "but this run has none."
        ) from error
