"""The loop that takes the steps of runs and deployments."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from services.workbench.engine.runs import JobRuns
from services.workbench.serving.deployments import Deployments

log = structlog.get_logger()

STEP_SECONDS = 0.2


class Scheduler:
    """Takes the steps of runs and deployments in one loop, so that no GPU is given away twice."""

    def __init__(self, runs: JobRuns, deployments: Deployments) -> None:
        self._runs = runs
        self._deployments = deployments
        self._wake = asyncio.Event()
        self._stepped = asyncio.Condition()

    def wake(self) -> None:
        """Requests a step at once, because a request has changed something."""
        self._wake.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for `condition`, which is checked after every step."""
        async with self._stepped:
            await self._stepped.wait_for(condition)

    async def run(self) -> None:
        """Takes steps until cancelled; waits for a request while there is nothing to do."""
        while True:
            self._wake.clear()
            pause: float | None = STEP_SECONDS
            try:
                running = await self._runs.step()
                deployed = await self._deployments.step()
                if not running and not deployed:
                    pause = None
            except Exception:
                log.exception("the runs could not be moved on; trying again")
            async with self._stepped:
                self._stepped.notify_all()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)
