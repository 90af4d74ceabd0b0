"""The loop that moves runs and deployments on."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from services.workbench.engine.process_ends import SOON
from services.workbench.engine.runs import JobRuns
from services.workbench.serving.deployments import Deployments

log = structlog.get_logger()


class Scheduler:
    """Steps runs and deployments in one loop, so that no GPU is given away twice."""

    def __init__(self, runs: JobRuns, deployments: Deployments, wake: asyncio.Event) -> None:
        self._runs = runs
        self._deployments = deployments
        self._wake = wake
        self._stepped = asyncio.Condition()

    def wake(self) -> None:
        """Requests a step at once, because a request has changed something."""
        self._wake.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for `condition`, which is tried after every step."""
        async with self._stepped:
            await self._stepped.wait_for(condition)

    async def run(self) -> None:
        """Steps until cancelled.

        It steps when a request has changed something or a process has ended, and when runs or
        deployments ask for it; while nothing is under way, nothing happens.
        """
        while True:
            self._wake.clear()
            pause: float | None = SOON
            try:
                pauses = (await self._runs.step(), await self._deployments.step())
                pause = min((one for one in pauses if one is not None), default=None)
            except Exception:
                log.exception("the runs could not be moved on; trying again")
            async with self._stepped:
                self._stepped.notify_all()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)
