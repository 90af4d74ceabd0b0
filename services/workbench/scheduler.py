"""The loop that takes the steps of runs and deployments."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from services.workbench.engine.process_ends import SOON
from services.workbench.engine.runs import JobRuns
from services.workbench.serving.deployments import Deployments

log = structlog.get_logger()


class Scheduler:
    """Takes the steps of runs and deployments in one loop, so that no GPU is given away twice."""

    def __init__(self, runs: JobRuns, deployments: Deployments, wake: asyncio.Event) -> None:
        self._runs = runs
        self._deployments = deployments
        self._wake = wake
        self._stepped = asyncio.Condition()

    def wake(self) -> None:
        """Requests a step at once, because a request has changed something."""
        self._wake.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for `condition`, which is checked after every step."""
        async with self._stepped:
            await self._stepped.wait_for(condition)

    async def run(self) -> None:
        """Takes steps until cancelled.

        A step is taken when a request has changed something, when a process has ended, and after
        the pause that runs or deployments ask for. While nothing is active, nothing happens.
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
