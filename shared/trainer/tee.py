"""Keeps a copy of all that a process prints, also of what C libraries and its children print."""

import os
import signal
import sys
from pathlib import Path

CHUNK = 65536


class Tee:
    """Standard output and error go to a file as well, from `start` until `stop`.

    A child process copies: it outlives this process by a moment, so that nothing is lost when this
    one is killed or crashes. Start it before there are threads.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._child = 0
        self._saved: tuple[int, int] | None = None

    def start(self) -> None:
        """Raises OSError if the file cannot be opened."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        log = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        reader, writer = os.pipe()
        _flush()
        self._child = os.fork()
        if self._child == 0:
            os.close(writer)
            _copy(reader, (1, log))
        self._saved = (os.dup(1), os.dup(2))
        for descriptor in (1, 2):
            os.dup2(writer, descriptor)
        for descriptor in (reader, writer, log):
            os.close(descriptor)

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


def _copy(source: int, targets: tuple[int, ...]) -> None:
    """Copies until the last writer is gone, then ends the process."""
    # Whoever ends the job ends it for all of its group; the last words are still to be copied.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    alive = list(targets)
    while chunk := os.read(source, CHUNK):
        for target in list(alive):
            try:
                _write_all(target, chunk)
            except OSError:
                # The reader of the output went away, or the disk is full: the other copy goes on.
                alive.remove(target)
    os._exit(0)


def _write_all(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
