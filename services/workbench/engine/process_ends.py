"""Tells when a process has ended that was started earlier, by this workbench or the one before."""

import asyncio
import os

SOON = 0.2
"""Seconds until the next look at what no process's end will tell, such as a file to be written."""
SAFETY = 5.0
"""Seconds until the next look where an event is expected: events might get lost."""


class ProcessEnds:
    """The processes whose end sets the event `wake`."""

    def __init__(self, wake: asyncio.Event) -> None:
        self.wake = wake
        self._followed: dict[int, int] = {}
        """File descriptors by pid."""

    def follow(self, pid: int) -> bool:
        """Waits for the end of a process; returns False if that is not possible.

        Only Linux can tell, and a process may have ended already.
        """
        if pid in self._followed:
            return True
        try:
            descriptor = os.pidfd_open(pid)
        except (AttributeError, OSError):
            return False
        self._followed[pid] = descriptor
        asyncio.get_running_loop().add_reader(descriptor, self._ended, pid)
        return True

    def _ended(self, pid: int) -> None:
        descriptor = self._followed.pop(pid)
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
        self.wake.set()
