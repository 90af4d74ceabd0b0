"""Reports a job's events to the studio, in the background.

The job's own file of events is the buffer: parts of it go to the studio, which answers up to where
it knows the file. The studio itself reads there what cannot be delivered, so the sender may give up
at any time, and training never waits for it.
"""

import logging
import math
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import grpc

from ft.api import ReportJobEventsRequest
from ft.client import StudioError
from ft.job_protocol.reports import KIND_METADATA, MAX_REPORT_BYTES
from trainer.job.studio import Identity
from trainer.job.studio_client import StudioConnection, pauses

logger = logging.getLogger(__name__)

CALL_SECONDS = 5.0
BATCH_SECONDS = 0.2
"""Time for which a line waits for others to be sent with it."""
LAST_SECONDS = 3.0
"""Most seconds that the end of the job waits for what is still to be delivered."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
_FINAL = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNIMPLEMENTED)
"""Refusals that the same studio will repeat."""


class ReportSender:
    """Sends what is written into a file of events. It never raises an error."""

    def __init__(self, file: Path, job: Identity, environment: Mapping[str, str]) -> None:
        self._file = file
        self._job = job
        self._environment = environment
        self._offset = 0
        self._deadline = math.inf
        self._woken, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="report-sender", daemon=True)

    def __enter__(self) -> Self:
        """From now on events are sent."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wake(self) -> None:
        """Has new lines of the file sent. Returns at once."""
        self._woken.set()

    def stop(self, seconds: float = LAST_SECONDS) -> None:
        """Returns once everything is delivered, or that time is over."""
        self._deadline = time.monotonic() + seconds
        self._ending.set()
        self._woken.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        # A job that an older studio has started does not know its kind.
        metadata = ((KIND_METADATA, self._job.kind),) if self._job.kind else ()
        try:
            connection = StudioConnection(self._environment, CALL_SECONDS, metadata)
            try:
                self._deliver(connection)
            finally:
                connection.close()
        except Exception as error:
            logger.info("Events are left to be read in %s: %s", self._file.name, error)

    def _deliver(self, connection: StudioConnection) -> None:
        waits = pauses(FIRST_PAUSE, LONGEST_PAUSE)
        while True:
            self._woken.wait()
            self._ending.wait(BATCH_SECONDS)
            # Asked before reading: what was written before the end is then surely sent.
            last = self._ending.is_set()
            self._woken.clear()
            try:
                while self._send_next(connection):
                    waits = pauses(FIRST_PAUSE, LONGEST_PAUSE)
            except StudioError as error:
                if not connection.follow() and error.code in _FINAL:
                    raise
                logger.debug("Events are not delivered yet: %s", error)
                if self._ending.wait(next(waits)):
                    time.sleep(FIRST_PAUSE)
                self._woken.set()
            else:
                if last:
                    return
            if time.monotonic() >= self._deadline:
                return

    def _send_next(self, connection: StudioConnection) -> bool:
        """Sends the next part. Returns True if there may be more."""
        with self._file.open("rb") as file:
            file.seek(self._offset)
            part = file.read(MAX_REPORT_BYTES)
        if not part:
            return False
        before = self._offset
        request = ReportJobEventsRequest(
            job_id=self._job.job_id,
            token=self._job.token,
            offset=before,
            data=part[: part.rfind(b"\n") + 1],
        )
        self._offset = connection.client.ReportJobEvents(request).next_offset
        # Without progress the studio has to find the part itself first.
        return self._offset != before
