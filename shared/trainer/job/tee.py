"""Keeps a copy of all that a process prints, also of what C libraries and its children print."""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from ft.text.streams import reserve_descriptors

CHUNK = 65536


class Tee:
    """Standard output and error go to a file as well, from `start` until `stop`.

    A child process copies: it outlives this process by a moment, so that nothing is lost when this
    one is killed or crashes. Start it before there are threads. What either copy cannot take is
    dropped, and never fails the process that prints.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._child = 0
        self._saved: tuple[int, int] | None = None
        self._report = -1

    def start(self) -> None:
        """Raises OSError if the file cannot be opened."""
        open_standard_streams()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        log = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        reader, writer = os.pipe()
        self._report, report = os.pipe()
        _flush()
        self._child = os.fork()
        if self._child == 0:
            try:
                os.close(writer)
                _copy(reader, log, report)
            finally:
                # Whatever happens, the child does not go on with its parent's work.
                os._exit(0)
        self._saved = (os.dup(1), os.dup(2))
        for descriptor in (1, 2):
            os.dup2(writer, descriptor)
        for descriptor in (reader, writer, log, report):
            os.close(descriptor)

    def stop(self) -> str:
        """Returns once everything that was printed is copied: what of it is lost, or nothing.

        Does nothing when stopped.
        """
        if self._saved is None:
            return ""
        _flush()
        for descriptor, saved in zip((1, 2), self._saved, strict=True):
            os.dup2(saved, descriptor)
            os.close(saved)
        self._saved = None
        os.waitpid(self._child, 0)
        with os.fdopen(self._report, "rb") as report:
            lost = json.loads(report.read() or b"{}")
        if not lost:
            return ""
        return (
            f"{lost['bytes']:,} bytes of the job's output are missing in its log, "
            f"{self._path.name}: {lost['reason']}."
        )


class _Target:
    """A file that output is copied to, as long and as soon as it can be written."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._mark = b""
        self.lost = 0
        self.reason = ""

    def write(self, data: bytes) -> None:
        """Writes the data, or drops what cannot be written; a gap is marked when it is over."""
        pending = self._mark + data
        try:
            while pending:
                pending = pending[os.write(self._descriptor, pending) :]
            self._mark = b""
        except OSError as error:
            self.lost += min(len(pending), len(data))
            self.reason = error.strerror or str(error)
            self._mark = f"\n[{self.lost:,} bytes are missing: {self.reason}]\n".encode()


def _copy(source: int, log: int, report: int) -> None:
    """Copies until the last writer is gone, then reports what the log lacks."""
    # Whoever ends the job ends it for all of its group; the last words are still to be copied.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # Somebody else may have set a pipe not to wait; to drop output for that would be wrong.
    with contextlib.suppress(OSError):
        os.set_blocking(1, True)
    kept = _Target(log)
    targets = (_Target(1), kept)
    while chunk := os.read(source, CHUNK):
        for target in targets:
            target.write(chunk)
    if kept.lost:
        content: dict[str, Any] = {"bytes": kept.lost, "reason": kept.reason}
        os.write(report, json.dumps(content).encode())


def open_standard_streams() -> None:
    """Makes standard output and error such that whatever is printed can be: opened if they were
    closed, in UTF-8, which logs are read as, whatever the environment says."""
    reserve_descriptors()
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            stream = open(descriptor, "w", closefd=False)  # noqa: SIM115  # for the whole process
            setattr(sys, name, stream)
        # What stands in for them, as in a notebook, has an encoding of its own. Once is enough: a
        # stream that was a file, and now leads into a pipe, would ask it for its position.
        wanted = ("utf-8", "backslashreplace")
        if hasattr(stream, "reconfigure") and (stream.encoding, stream.errors) != wanted:
            stream.reconfigure(encoding=wanted[0], errors=wanted[1])


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        # Nobody reads it, or it is full: what was printed is lost, and no more.
        with contextlib.suppress(OSError):
            stream.flush()
