"""Keeps a copy of all that a process prints, also of what C libraries and its children print."""

import io
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from ft import terminal

CHUNK = 65536


class Tee:
    """Standard output and error go to a file as well, from `start` until `stop`.

    A child process copies: it outlives this process by a moment, so that nothing is lost when this
    one is killed or crashes. Start it before there are threads. A copy that cannot be written, as
    on a full disk, is given up; the work goes on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._child = 0
        self._saved: tuple[int, int] | None = None
        self._lost: int | None = None
        """Read end of a pipe that says which copy is given up."""

    def start(self) -> None:
        """A file that cannot be opened is given up like one that cannot be written."""
        terminal.prepare_streams()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(encoding="utf-8")  # as those who read the file take it
        self._lost, tell = os.pipe()
        os.set_blocking(self._lost, False)
        log = self._open(tell)
        reader, writer = os.pipe()
        _flush()
        self._child = os.fork()
        if self._child == 0:
            os.close(writer)
            _copy(reader, (1, log), tell)
        self._saved = (os.dup(1), os.dup(2))
        for descriptor in (1, 2):
            os.dup2(writer, descriptor)
        for descriptor in (reader, writer, log, tell):
            os.close(descriptor)

    def _open(self, tell: int) -> int:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            os.write(tell, _line("its log", error))
            return os.open(os.devnull, os.O_WRONLY)

    def lost(self) -> list[str]:
        """What was given up since the last call, a sentence each."""
        if self._lost is None:
            return []
        try:
            return os.read(self._lost, CHUNK).decode().splitlines()
        except BlockingIOError:
            return []

    def stop(self) -> None:
        """Returns once everything that was printed is in the file. Does nothing when stopped."""
        if self._saved is None:
            return
        _flush()
        for descriptor, saved in zip((1, 2), self._saved, strict=True):
            os.dup2(saved, descriptor)
            os.close(saved)
        self._saved = None
        os.waitpid(self._child, 0)


def _copy(source: int, targets: tuple[int, ...], tell: int) -> None:
    """Copies until the last writer is gone, then ends the process."""
    # Whoever ends the job ends it for all of its group; the last words are still to be copied.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    alive = list(targets)
    while chunk := os.read(source, CHUNK):
        for target in list(alive):
            try:
                _write_all(target, chunk)
            except OSError as error:
                # The reader of the output went away, or the disk is full: the other copy goes on.
                alive.remove(target)
                what = "its standard output" if target == targets[0] else "its log"
                with suppress(OSError):
                    os.write(tell, _line(what, error))
    os._exit(0)


def _write_all(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]


def _line(what: str, error: OSError) -> bytes:
    return f"The job goes on without {what}: {error.strerror or error}.\n".encode()


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
