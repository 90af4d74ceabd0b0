"""Standard output and error of a command: any text can be written, and no failure is silent."""

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from ft.text.printable import printable

INTERRUPTED = 130
READER_GONE = 141
"""Exit status if the reader of the output has closed the pipe: 128 + SIGPIPE, as in shells."""
LOST = 1
"""Exit status of a command that succeeded, but whose output could not be written."""


class SafeStream(io.TextIOBase):
    """A standard stream to which any text may be written.

    Each text is made safe for a terminal. If the stream cannot be written, because its device is
    full or it is closed, an error line and the text go to `instead`. If the reader of a pipe has
    closed it, the process ends with status READER_GONE and prints no error, except that `unsaid`
    is printed on `instead` if it is not empty.
    """

    def __init__(self, stream: TextIO | None, name: str, instead: "SafeStream | None") -> None:
        self._stream = stream
        self._name = name
        self._instead = instead
        self._reader_gone = False
        self.failure: OSError | None = None
        """Reason why the stream accepts no more output."""
        self.unsaid = ""
        """Text that must be printed elsewhere if the reader has gone before it was written."""
        self.styled = _UnescapedStream(self)
        """The stream for a console, which makes texts safe itself before it styles them."""
        if isinstance(stream, io.TextIOWrapper):
            # Libraries may print by other means.
            stream.reconfigure(errors="backslashreplace")

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream; UTF-8 if it has none that is known."""
        name = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            return codecs.lookup(name).name
        except LookupError:
            return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """Characters that the encoding lacks are escaped."""
        return "backslashreplace"

    def isatty(self) -> bool:
        """True if it is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """The file's number. Raises OSError if it has none."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Writes a text, made safe."""
        self.put(printable(text, self.encoding))
        return len(text)

    def flush(self) -> None:
        """Does nothing: every text is flushed."""

    def put(self, text: str) -> None:
        """Writes a safe text; to `instead` if this stream cannot be written."""
        if self.failure is None:
            try:
                self.send(text)
            except OSError as error:
                if self._instead is not None:
                    what = f"error: {error.filename}: {error.strerror}; the output follows"
                    self._instead.put(f"{what}\n")
            else:
                return
        if self._instead is not None:
            self._instead.put(text)

    def send(self, data: str | bytes) -> None:
        """Writes a safe text, or bytes as they are. Raises OSError, which names the stream."""
        if self._reader_gone:
            return
        try:
            if self._stream is None or self._stream.closed:
                raise OSError(errno.EBADF, "is closed")
            if isinstance(data, bytes):
                self._stream.flush()
                self._stream.buffer.write(data)
                self._stream.buffer.flush()
            else:
                self._stream.write(data)
                self._stream.flush()
        except BrokenPipeError:
            self._reader_gone = True
            self._discard()
            if self._instead is None:
                return
            if self.unsaid:
                self._instead.put(f"{self.unsaid}\n")
            raise SystemExit(READER_GONE) from None
        except OSError as error:
            self._discard()
            self.failure = OSError(error.errno, error.strerror or str(error), self._name)
            raise self.failure from None

    def _discard(self) -> None:
        """Discards buffered output, which the interpreter would write at its end."""
        if self._stream is None or self._stream.closed:
            return
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
            self._stream.flush()


class _UnescapedStream(io.TextIOBase):
    """A stream whose texts are written unchanged."""

    def __init__(self, stream: SafeStream) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._stream.put(text)
        return len(text)

    def flush(self) -> None:
        pass


@contextmanager
def safe_streams() -> Iterator[None]:
    """Makes the block print to safe streams, and ends the process quietly on an interrupt.

    If the block succeeds but its output is lost, the process ends with status LOST. A nested
    block has no effect.
    """
    if isinstance(sys.stdout, SafeStream):
        yield
        return
    reserve_descriptors()
    before = sys.stdout, sys.stderr
    error = SafeStream(before[1], "standard error", None)
    output = SafeStream(before[0], "standard output", error)
    sys.stdout, sys.stderr = output, error
    try:
        with _blocking(output), _blocking(error):
            yield
    except KeyboardInterrupt:
        error.write("error: interrupted\n")
        raise SystemExit(INTERRUPTED) from None
    except SystemExit as ending:
        if output.failure is not None and not ending.code:
            raise SystemExit(LOST) from None
        raise
    finally:
        sys.stdout, sys.stderr = before
    if output.failure is not None:
        raise SystemExit(LOST)


def reserve_descriptors() -> None:
    """Opens the null device in place of each standard stream that is closed.

    Otherwise the next file or socket would get its number, and the output of the stream.
    """
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= 2:
        descriptor = os.dup(descriptor)
    os.close(descriptor)


@contextmanager
def _blocking(stream: SafeStream) -> Iterator[None]:
    """Makes writes wait for a slow reader, even if another process made the pipe non-blocking."""
    try:
        descriptor = stream.fileno()
        blocked = os.get_blocking(descriptor)
    except (OSError, AttributeError):
        yield
        return
    os.set_blocking(descriptor, True)
    try:
        yield
    finally:
        with suppress(OSError):
            os.set_blocking(descriptor, blocked)
