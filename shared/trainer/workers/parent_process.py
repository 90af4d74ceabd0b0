"""Ends a process together with the process that started it."""

import ctypes
import os
import signal
import sys

BINDING = sys.platform == "linux"
"""True if the system supports this. Elsewhere the end of the run has to end such a process."""
_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Makes the end of process `parent` end this process with SIGKILL."""
    if BINDING:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            # It ended before this one asked.
            os.kill(os.getpid(), signal.SIGKILL)
