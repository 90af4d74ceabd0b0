"""Converts the bytes of a log to text."""

import codecs


class LogText:
    """Converts the parts of a log to text as they arrive.

    Bytes that are not UTF-8 become escapes. If a line is overwritten by means of carriage returns,
    as progress bars do, only its last state is kept. A line that has not ended waits for its end.
    If the log is followed, it is printed at once, and its next state gets a line of its own.
    """

    def __init__(self, follow: bool = False) -> None:
        self._follow = follow
        self._decode = codecs.getincrementaldecoder("utf-8")("backslashreplace").decode
        self._rest = ""
        self._shown = False

    def feed(self, data: bytes) -> str:
        """Returns the text to print after this part."""
        *lines, self._rest = (self._rest + self._decode(data)).split("\n")
        text = "".join(self._state(line) + "\n" for line in lines)
        # A carriage return at the end may be half of a line's end.
        state = self._rest.rstrip("\r")
        if self._follow and state:
            self._rest = self._rest[len(state) :]
            text += self._state(state)
            self._shown = True
        return text

    def end(self) -> str:
        """Returns the remaining text at the end of the log."""
        rest = self._rest + self._decode(b"", True)
        self._rest = ""
        return self._state(rest) if rest else ""

    def _state(self, line: str) -> str:
        *earlier, last = line.rstrip("\r").split("\r")
        begun, self._shown = self._shown, False
        return f"\n{last}" if begun and earlier else last


def log_lines(data: bytes) -> list[str]:
    """The lines of a complete log."""
    text = LogText()
    return (text.feed(data) + text.end()).rstrip("\n").split("\n") if data else []
