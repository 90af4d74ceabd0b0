"""How a process ended, in words."""

import signal

_OF_SHELLS = 128
"""Shells and containers tell signal N by the exit status 128 + N."""


def signal_of(status: int) -> int:
    """Number of the signal that ended a process with that exit status, as Popen gives it or as a
    shell does; 0 if none did."""
    number = -status if status < 0 else status - _OF_SHELLS
    return number if 0 < number < signal.NSIG else 0


def told(status: int) -> str:
    """How the process ended, to go on with after its name."""
    number = signal_of(status)
    if not number:
        return f"ended with exit status {status}"
    hint = ", as happens where memory runs out" if number == signal.SIGKILL else ""
    return f"was ended by {_name(number)}{hint}"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        # Most real-time signals have none.
        return f"signal {number}"
