"""Memory of a service's process."""

import ctypes
import gc

GC_THRESHOLDS = gc.get_threshold()
"""Thresholds of the garbage collector while the process serves."""
START_OBJECTS = 50_000
"""Objects between two garbage collections while the process starts."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's `mallopt`."""
KEPT_BYTES = 4 * 1024 * 1024
"""Most free memory at the end of the heap that the process keeps."""


def begin_start() -> None:
    """Makes garbage collections rare. What imports create stays, and looking through it again and
    again is a seventh of the CPU of a start."""
    gc.set_threshold(START_OBJECTS, *GC_THRESHOLDS[1:])


def finish_start() -> None:
    """Leaves the objects of the start out of later garbage collections, which are as often as usual
    from here on, and keeps freed memory."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Keeps freed memory for the next call, after a return of what the start has left.

    Otherwise the memory of an answer of 300 kB goes back to the system after each call, and comes
    again page by page: a fifth of the facade's CPU for it. Does nothing without glibc.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt") or not hasattr(libc, "malloc_trim"):
        return
    libc.malloc_trim(0)
    libc.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
    # Setting one parameter ends glibc's own adjustment of both.
    libc.mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
