"""Exit statuses of jobs and served models, and their description."""

import signal

SUCCEEDED = 0
FAILED = 1
"""The reason is in the last event and in the log."""
BAD_ARGUMENTS = 2
"""The arguments name no folder that events could be written to."""
SPOILT = 70
"""A GPU has failed in a process that serves a model, which can answer nothing any more."""
NOT_TO_BE_REPEATED = 78
"""Another start of a served model would end in the same way (EX_CONFIG)."""
_SIGNAL_OFFSET = 128
"""Shells and containers report a process that signal N has ended as 128 + N."""
STOPPED = _SIGNAL_OFFSET + signal.SIGTERM


def signal_of(status: int) -> int:
    """Number of the signal that ended a process, 0 if none did.

    `status` is an exit status as Popen or as a shell reports it.
    """
    number = -status if status < 0 else status - _SIGNAL_OFFSET
    return number if 0 < number < signal.NSIG else 0


def describe_exit(status: int) -> str:
    """The rest of a sentence that begins with the name of the process."""
    number = signal_of(status)
    if not number:
        return f"ended with exit status {status}"
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"  # Most real-time signals have no name.
    hint = ", as happens where memory runs out" if number == signal.SIGKILL else ""
    return f"was ended by {name}{hint}"
