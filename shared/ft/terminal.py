"""Text that is safe to print, and printing that fails cleanly. For every command of the studio."""

import errno
import io
import os
import re
import sys
from collections.abc import Callable
from typing import Any, TextIO, cast

NOT_PRINTED = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but for newline and tab; ESC begins commands
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they turn the direction of what follows
    "\u2028\u2029"  # line ends to some terminals
    "\ud800-\udfff"  # halves of characters, which no encoding takes
    "]"
)
GONE = (errno.EPIPE, errno.ECONNRESET)
"""Errors that say that nobody reads any more."""
_MOST = 300


def printable(text: str) -> str:
    """The text with an escape such as `\\x1b` in place of each character that commands a terminal.

    Newlines and tabs stay.
    """
    return NOT_PRINTED.sub(lambda found: repr(found[0])[1:-1], text)


def printable_json(text: str) -> str:
    """The same for a JSON text, whose meaning stays."""
    return NOT_PRINTED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class OutputLost(Exception):
    """Standard output takes nothing. `reader_gone`: it is a pipe that nobody reads any more."""

    def __init__(self, error: OSError, text: str) -> None:
        reason = error.strerror or str(error)
        lost = " ".join(text.split())
        shown = lost if len(lost) <= _MOST else f"{lost[:_MOST]}..."
        what = f"; not printed: {shown}" if shown else ""
        super().__init__(f"standard output cannot be written: {reason}{what}")
        self.reader_gone = error.errno in GONE


class CheckedOutput(io.TextIOBase):
    """Standard output whose failures are `OutputLost`, with the text that was to be written.

    Looks the stream up at each call, as `print` does.
    """

    def __init__(self) -> None:
        self._last = ""

    def write(self, text: str) -> int:
        """Writes at once, so that it is known what failed."""
        self._last = text
        try:
            count = sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as error:
            self._give_up(error)
        return count

    def write_bytes(self, data: bytes) -> None:
        """Writes bytes as they are, at once."""
        self._last = ""
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except OSError as error:
            self._give_up(error)

    def flush(self) -> None:
        """Does nothing new: every write is flushed."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's."""
        return sys.stdout.encoding or "utf-8"

    def isatty(self) -> bool:
        """Whether a terminal shows it."""
        return sys.stdout.isatty()

    def fileno(self) -> int:
        """The stream's. Raises OSError if it has none."""
        return sys.stdout.fileno()

    def _give_up(self, error: OSError) -> None:
        discard(sys.stdout)
        raise OutputLost(error, self._last) from None


def discard(stream: TextIO) -> None:
    """What the stream still holds goes nowhere: at the end of the process it would fail again."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def prepare_streams() -> None:
    """Has standard output and error take every character, whatever their encoding, and be there.

    One that was closed by whoever started the process takes everything and shows nothing; its
    number must not go to a connection.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
        stream = cast(Any, getattr(sys, name))
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def takes_unicode(stream: TextIO) -> bool:
    """Whether the stream's encoding has every character."""
    return (stream.encoding or "").lower().replace("_", "-").startswith("utf")


def printing(work: Callable[[], int]) -> int:
    """The exit status of a tool that prints; 1 and a plain line where its output cannot be written,
    141 where nobody reads it."""
    prepare_streams()
    try:
        status = work()
        sys.stdout.flush()
    except OSError as error:
        discard(sys.stdout)
        if error.errno in GONE:
            return 141
        sys.stderr.write(f"error: {OutputLost(error, '')}\n")
        return 1
    return status
