"""Copies the output of a failed run into the log of its job."""

import os
import stat
from pathlib import Path

MOST_BYTES = 64 * 1024


def append_end(output: Path, job_log: Path) -> None:
    """Appends the end of a run's output to its job's log, except what the log already contains.

    The trainer's scripts copy their output into the log, so it contains most of it. A script that
    ended before it could, or that writes no log, has none of it. Raises OSError.
    """
    printed = _end(output).splitlines()
    known = {line.strip() for line in _end(job_log).splitlines()}
    # The log's own part of the output comes first; what is missing in it is at the end.
    missing: list[str] = []
    for line in reversed(printed):
        if line.strip() and line.strip() in known and not line.startswith("[workbench]"):
            break
        missing.append(line)
    if not any(line.strip() for line in missing):
        return
    job_log.parent.mkdir(parents=True, exist_ok=True)
    # A pipe that a job may have put there is not waited at until somebody reads it.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
    with open(os.open(job_log, flags, 0o644), "a") as file:
        file.write("\n".join(reversed(missing)) + "\n")


def _end(path: Path) -> str:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return ""
            file.seek(max(file.seek(0, os.SEEK_END) - MOST_BYTES, 0))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
