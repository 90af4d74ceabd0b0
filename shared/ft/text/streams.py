"""Standard output and error of a command that take any text, and say what they could not take."""

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
"""Status of a command whose output nobody reads any more: 128 + SIGPIPE, as shells know it."""
LOST = 1
"""Status of a command that did its work, but whose output could not be written."""


class SafeStream(io.TextIOBase):
    """A standard stream to which any text may be written.

    Each text is made safe for a terminal. What the stream cannot take, because its device is full
    or because it is closed, goes to `instead`, after a line that says so. Where the reader of a
    pipe has gone away the process ends with status READER_GONE, and without a word; but `unsaid`,
    if there is something in it, is said on `instead`.
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
        self.styled = _Styled(self)
        """The same stream for a console, which makes its texts safe before it styles them."""
        if isinstance(stream, io.TextIOWrapper):
            # What libraries print with other means is to be printed as well.
            stream.reconfigure(errors="backslashreplace")

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream."""
        return _encoding(self._stream)

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
        """Writes a text that is safe already; `instead`, if this stream cannot take it."""
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
            self._send(data)
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

    def _send(self, data: str | bytes) -> None:
        if self._stream is None or self._stream.closed:
            raise OSError(errno.EBADF, "is closed")
        if isinstance(data, bytes):
            self._stream.flush()
            self._stream.buffer.write(data)
            self._stream.buffer.flush()
        else:
            self._stream.write(data)
            self._stream.flush()

    def _discard(self) -> None:
        """Lets go of what is still in buffers, which the interpreter would write at its end."""
        if self._stream is None or self._stream.closed:
            return
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
            self._stream.flush()


class _Styled(io.TextIOBase):
    """A stream whose texts are written as they are."""

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
    """Has the block print to safe streams, and ends the process quietly if it is interrupted.

    A block that ends well, but whose output is lost, ends the process with status LOST. Does
    nothing within another such block.
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
    """Opens the null device in place of a standard stream that is closed.

    Otherwise the next file or socket takes its number, and gets what is meant for the stream.
    """
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= 2:
        descriptor = os.dup(descriptor)
    os.close(descriptor)


@contextmanager
def _blocking(stream: SafeStream) -> Iterator[None]:
    """Has writes wait for a slow reader, also where a neighbour has set the pipe not to block."""
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


def _encoding(stream: TextIO | None) -> str:
    """The stream's encoding; UTF-8 where it has none that is known."""
    name = getattr(stream, "encoding", None) or "utf-8"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"
