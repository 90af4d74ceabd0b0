"""Processes, each of which does one inspection."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import structlog

from chassis.config import Settings
from chassis.rpc import context
from chassis.rpc.errors import DeadlineExceeded, ResourceExhausted, Unavailable
from ft.job_protocol.variables import HUB_TOKEN
from ft.proto.inspection_pb2 import InspectionWork, InspectJobResponse

AT_ONCE = 2
"""Inspections at a time; each may take a core and the memory of a dataset."""
WORK, ANSWER, OUTPUT = "work", "answer", "output"
"""Files that are the process's standard input, output and error."""
SHOWN_BYTES = 4000
"""Most bytes of the output of a failed process that are logged."""

log = structlog.get_logger()


class WorkerFailed(Exception):
    """The process ended without an answer. The message is its signal or exit status."""


class InspectionProcesses:
    """Runs a process for each inspection, and ends it with its call."""

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home.absolute() / "inspection"
        self._token = settings.hub_token
        self._seconds = settings.deadline_seconds
        self._folders: set[Path] = set()

    async def clear(self) -> None:
        """Removes the folders of processes that were killed."""
        for folder in self._home.glob("*"):
            if folder not in self._folders:
                shutil.rmtree(folder, ignore_errors=True)

    async def run(self, work: InspectionWork) -> InspectJobResponse:
        """Returns the answer to the work.

        Raises WorkerFailed if there is none, ResourceExhausted if too many processes run, and
        DeadlineExceeded if the call's time is over.
        """
        if len(self._folders) >= AT_ONCE:
            message = f"{AT_ONCE} inspections are running, the most at a time; try again later"
            raise ResourceExhausted(message, reason="INSPECTION_BUSY")
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=self._home))
        except OSError as error:
            raise _unwritable(error) from error
        self._folders.add(folder)
        try:
            async with asyncio.timeout(context.current(self._seconds).remaining()):
                return await self._run(work, folder)
        except TimeoutError:
            message = "the inspection did not end within the deadline of the call; set a longer one"
            raise DeadlineExceeded(message, reason="INSPECTION_TOO_LONG") from None
        finally:
            self._folders.discard(folder)
            # Not in a thread: a call that is cancelled waits for none.
            shutil.rmtree(folder, ignore_errors=True)

    async def _run(self, work: InspectionWork, folder: Path) -> InspectJobResponse:
        try:
            (folder / WORK).write_bytes(work.SerializeToString())
            process = self._start(folder)
        except OSError as error:
            raise _unwritable(error) from error
        try:
            status = await asyncio.to_thread(process.wait)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if status:
            output = (folder / OUTPUT).read_bytes()[-SHOWN_BYTES:].decode(errors="replace")
            if token := self._token.strip():
                output = output.replace(token, "***")
            log.warning("inspection failed", status=status, said=output)
            raise WorkerFailed(f"signal {-status}" if status < 0 else f"status {status}")
        return InspectJobResponse.FromString((folder / ANSWER).read_bytes())

    def _start(self, folder: Path) -> subprocess.Popen[bytes]:
        """Starts a process without the event loop: uvloop forks in a way that gRPC takes part in,
        and one new process in ten crashes in gRPC before it has begun."""
        environment = {
            **os.environ,
            # The process can import what this one can, installed or not.
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "HF_DATASETS_CACHE": str(folder),
            "TMPDIR": str(folder),
            HUB_TOKEN: self._token,
        }
        with (
            (folder / WORK).open("rb") as stdin,
            (folder / ANSWER).open("wb") as stdout,
            (folder / OUTPUT).open("wb") as stderr,
        ):
            return subprocess.Popen(
                (sys.executable, "-m", "services.inspection.worker"),
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=environment,
                cwd=folder,
                # With the processes that the libraries may start in it.
                start_new_session=True,
            )


def _unwritable(error: OSError) -> Unavailable:
    return Unavailable(
        f"the inspection cannot write into its folder: {error.strerror}",
        reason="STORE_UNAVAILABLE",
    )
