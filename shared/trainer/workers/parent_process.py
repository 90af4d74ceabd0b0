"""A process that is not to outlive the one that started it."""

import ctypes
import os
import signal
import sys

BINDING = sys.platform == "linux"
"""Whether the system can do this. Elsewhere such a process is left to whoever ends the run."""
_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """From now on the end of process `parent`, however it comes, ends this one with SIGKILL."""
    if BINDING:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            # It ended before this one asked.
            os.kill(os.getpid(), signal.SIGKILL)
