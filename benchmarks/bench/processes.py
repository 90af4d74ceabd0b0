"""CPU time and memory of processes, from /proc."""

import asyncio
import time
from collections.abc import Mapping

import psutil

MIB = 1024 * 1024
QUIET_SECONDS = 0.3


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
        """User and system time so far. Raises ProcessDied."""
        self.require_alive()
        return {name: sum(process.cpu_times()[:2]) for name, process in self._processes.items()}

    def pss_mib(self) -> dict[str, float]:
        """Proportional set size: a page that several processes share counts in parts.

        Raises ProcessDied.
        """
        self.require_alive()
        return {
            name: process.memory_full_info().pss / MIB for name, process in self._processes.items()
        }

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


def with_children(pids: Mapping[str, int]) -> dict[str, int]:
    """The named processes and their descendants that have no name, numbered under the parent's."""
    named = {pid: name for name, pid in pids.items()}
    found = dict(pids)
    for name, pid in pids.items():
        number = 0
        for child in psutil.Process(pid).children(recursive=True):
            if child.pid not in named and child.pid not in found.values():
                number += 1
                found[f"{name} child {number}"] = child.pid
    return found
