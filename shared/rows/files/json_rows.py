"""Rows of a JSON list, and of a file with one JSON object a line."""

import json
import re
from collections.abc import Iterator
from typing import Any

from rows import values
from rows.errors import DataError
from rows.files.content import Lines, too_long
from rows.files.limits import MAX_ROW_CHARACTERS
from rows.values import JsonReader

Row = tuple[int, dict[str, Any]]
_BLANKS = re.compile(r"[ \t\r\n]*")
_READ_CHARACTERS = 64 * 1024
_SHOWN_CHARACTERS = 40
_NO_OBJECT = "must be an object with at least one key"


def of_lines(lines: Lines, decoding: JsonReader) -> Iterator[Row]:
    """The object of each line that is not blank, and the line's number."""
    found = False
    for line in lines:
        if not line.strip():
            continue
        place = f"line {lines.number}"
        try:
            row = decoding.whole(line)
        except json.JSONDecodeError as error:
            raise DataError(f"{place}: not JSON: {_said(error)}") from error
        except DataError as error:
            raise DataError(f"{place}: {error}") from error
        if isinstance(row, list) and not found:
            raise DataError(
                f"{place}: must be an object, but is a list: save a list of objects as a .json "
                "file, of type project_json"
            )
        found = True
        yield lines.number, _required(row, place)
    if not found:
        raise DataError("line 1: the file is empty")


def of_list(lines: Lines, decoding: JsonReader) -> Iterator[Row]:
    """The objects of a list, and their numbers, counted from 1."""
    text = _Text(lines, decoding)
    if not text.peek():
        raise DataError("line 1: not JSON: the file is empty")
    text.skip("[")
    number = 0
    while text.peek() != "]":
        number += 1
        place = f"item {number}"
        if number > 1:
            text.skip(",")
        begins, line = text.peek(), text.line
        found = text.value(place)
        if begins != "{":
            raise DataError(f"{place}: {_NO_OBJECT}, but is {_shown(found)} (line {line})")
        yield number, _required(found, place)
    text.skip("]")
    if text.peek():
        raise DataError(f"line {text.line}: not JSON: there is text after the list")
    if not number:
        raise DataError("line 1: the file must contain a JSON list with at least one object")


class _Text:
    """A text of which only a part is in memory, as much as the next value needs."""

    def __init__(self, lines: Lines, decoding: JsonReader) -> None:
        self._lines = lines
        self._decoding = decoding
        self._text = ""
        self._at = 0
        self._ended = False
        self.line = 1
        """The current line."""

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            match = _BLANKS.match(self._text, self._at)
            assert match is not None
            self._advance(match.end())
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._read_more(_READ_CHARACTERS)

    def skip(self, character: str) -> None:
        """Skips that character. Raises DataError if it is not the next one."""
        if self.peek() != character:
            near = self._text[self._at : self._at + 20]
            raise DataError(f"line {self.line}: not JSON: {character!r} is expected, at {near!r}")
        self._advance(self._at + 1)

    def value(self, name: str) -> Any:
        """The next value. Raises DataError with `name`, the name of the item."""
        size = _READ_CHARACTERS
        while True:
            try:
                found, end = self._decoding.part(self._text, self._at)
            except json.JSONDecodeError as error:
                # If the rest was not read yet, the error is at the beginning of a text that is not
                # closed, or near the end of what was read.
                cut_off = "Unterminated" in error.msg or error.pos > len(self._text) - 16
                if self._ended or not cut_off:
                    line = self.line + self._text.count("\n", self._at, error.pos)
                    raise DataError(f"line {line}: not JSON: {_said(error)}") from error
                if len(self._text) - self._at > MAX_ROW_CHARACTERS:
                    raise DataError(f"line {self.line}: {too_long()}") from error
                self._read_more(size)
                size *= 2
            except DataError as error:
                raise DataError(f"{name}: {error} (line {self.line})") from error
            else:
                if end - self._at > MAX_ROW_CHARACTERS:
                    raise DataError(f"line {self.line}: {too_long()}")
                self._advance(end)
                return found

    def _advance(self, end: int) -> None:
        """Moves on to `end`; the text before it leaves memory at the next read."""
        self.line += self._text.count("\n", self._at, end)
        self._at = end

    def _read_more(self, characters: int) -> None:
        piece = self._lines.piece(characters)
        self._ended = not piece
        self._text, self._at = self._text[self._at :] + piece, 0


def _required(row: Any, place: str) -> dict[str, Any]:
    if not isinstance(row, dict) or not row:
        raise DataError(f"{place}: {_NO_OBJECT}, but is {_shown(row)}")
    return row


def _shown(value: Any) -> str:
    text = values.to_json(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _said(error: json.JSONDecodeError) -> str:
    near = error.doc[error.pos : error.pos + 20].strip()
    return f"{error.msg}, at {near!r}" if near else error.msg
