"""Number of this process among those of a job, from the variables of torch elastic."""

import ipaddress
import os


def rank() -> int:
    """The number of this process, counted from 0."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """Number of processes that train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def threads(granted: int) -> int:
    """Number of threads for this process to calculate with, of the cores that it is granted.

    Workers on one machine may have been granted more than it has; threads that fight for a core
    are far slower than fewer threads.
    """
    if world_size() == 1 or not is_loopback(os.environ.get("MASTER_ADDR", "")):
        return granted
    return max(1, min(granted, len(os.sched_getaffinity(0)) // world_size()))


def is_loopback(address: str) -> bool:
    """Tells whether an address can be reached from its own machine alone."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
