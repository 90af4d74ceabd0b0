"""Tells the studio what the job writes about itself, in the background.

The job's own file of events is the buffer: parts of it go to the studio, which says up to where it
knows the file. What cannot be delivered is read there by the studio itself, so the link may give up
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
from trainer.job.found import Finder

logger = logging.getLogger(__name__)

MAX_BYTES = 256 * 1024
"""What one report may carry."""
CALL_SECONDS = 5.0
BATCH_SECONDS = 0.2
"""How long a line waits for others to go with it."""
LAST_SECONDS = 3.0
"""How long the end of the job waits for what is still to be delivered."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
_NEVER = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNIMPLEMENTED)
"""Answers that will not change, unless another studio gives them."""


class ReportSender:
    """Sends what is written into a file of events; nothing that goes wrong with it is raised."""

    def __init__(self, file: Path, job: str, token: str, environment: Mapping[str, str]) -> None:
        self._file = file
        self._job, self._token = job, token
        self._environment = environment
        self._offset = 0
        self._deadline = math.inf
        self._woken, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    def __enter__(self) -> Self:
        """From now on events are sent."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wake(self) -> None:
        """There is something new in the file. Returns at once."""
        self._woken.set()

    def stop(self, seconds: float = LAST_SECONDS) -> None:
        """Returns once everything is delivered, or that time is over."""
        self._deadline = time.monotonic() + seconds
        self._ending.set()
        self._woken.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            finder = Finder(self._environment, timeout=CALL_SECONDS)
            try:
                self._deliver(finder)
            finally:
                finder.close()
        except Exception as error:
            logger.info("Events are left to be read in %s: %s", self._file.name, error)

    def _deliver(self, finder: Finder) -> None:
        pause = FIRST_PAUSE
        while True:
            self._woken.wait()
            self._ending.wait(BATCH_SECONDS)
            # Asked before reading: what was written before the end is then surely sent.
            last = self._ending.is_set()
            self._woken.clear()
            try:
                while self._send_next(finder):
                    pause = FIRST_PAUSE
            except StudioError as error:
                if not finder.look_again() and error.code in _NEVER:
                    raise
                logger.debug("Events are not delivered yet: %s", error)
                self._pause(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                self._woken.set()
            else:
                if last:
                    return
            if time.monotonic() >= self._deadline:
                return

    def _pause(self, seconds: float) -> None:
        if not self._ending.wait(seconds):
            return
        time.sleep(FIRST_PAUSE)

    def _send_next(self, finder: Finder) -> bool:
        """Sends the next part; whether there may be more."""
        with self._file.open("rb") as file:
            file.seek(self._offset)
            part = file.read(MAX_BYTES)
        if not part:
            return False
        whole = part[: part.rfind(b"\n") + 1]
        before = self._offset
        request = ReportJobEventsRequest(
            job_id=self._job, token=self._token, offset=before, data=whole
        )
        self._offset = finder.client.ReportJobEvents(request).next_offset
        # Without a step the studio has to find the part itself first.
        return self._offset != before
