"""CPU time and memory of processes, from /proc."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress

import psutil

MIB = 1024 * 1024
QUIET_SECONDS = 0.3
MODULES = "services."
"""A service is run as a module of this package."""


class ProcessDied(Exception):
    """A process that was measured is gone. The message names it."""


class Processes:
    """Processes by name, as they were when they were found."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}

    def require_alive(self) -> None:
        """Raises ProcessDied if one of them has ended."""
        for name, process in self._processes.items():
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                raise ProcessDied(f"process {name} (pid {process.pid}) has died")

    def cpu_seconds(self) -> dict[str, float]:
        """User and system time so far, with that of ended child processes. Raises ProcessDied."""
        self.require_alive()
        return {name: sum(process.cpu_times()[:4]) for name, process in self._processes.items()}

    def pss_mib(self) -> dict[str, float]:
        """Proportional set size: a page that several processes share counts in parts.

        Raises ProcessDied.
        """
        self.require_alive()
        return {
            name: process.memory_full_info().pss / MIB for name, process in self._processes.items()
        }

    def kill(self) -> None:
        """Ends them by force; one that has ended already is fine."""
        for process in self._processes.values():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    async def quiet(self, share: float = 0.1, seconds: float = 10.0) -> None:
        """Waits until they use less than that share of a core, at most so many seconds."""
        end = time.monotonic() + seconds
        before = sum(self.cpu_seconds().values())
        while time.monotonic() < end:
            await asyncio.sleep(QUIET_SECONDS)
            now = sum(self.cpu_seconds().values())
            if now - before < share * QUIET_SECONDS:
                return
            before = now


def of_supervisor(pid: int) -> Processes:
    """A supervisor with all its descendants, by the services that they run."""
    supervisor = psutil.Process(pid)
    found = {"supervisord": pid}
    for process in supervisor.children(recursive=True):
        *_, last = process.cmdline() or [process.name()]
        name = last.removeprefix(MODULES)
        found[f"{name} {process.pid}" if name in found else name] = process.pid
    return Processes(found)
