"""Rows of a CSV file: each cell is the text as written in the file."""

import csv
from collections.abc import Iterator
from itertools import chain

from rows.errors import DataError
from rows.files.content import Lines, too_long
from rows.files.limits import MAX_ROW_CHARACTERS
from rows.files.names import require_names

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_SEPARATOR_LINE = "sep="
"""Line that Excel writes before the header to name the separator."""


class CsvRows:
    """The cells of a CSV file, a row at a time."""

    def __init__(self, lines: Lines, delimiter: str, notices: list[str]) -> None:
        """`delimiter` is the one that the file's name implies. Raises DataError for the header
        row."""
        self._lines = lines
        first = lines.next()
        if first.lower().startswith(_SEPARATOR_LINE) and len(first.strip("\r\n")) == 5:
            found, first = first[4], lines.next()
        else:
            found = _delimiter_of(first, delimiter)
        if found != delimiter:
            named, wanted = DELIMITERS.get(found, repr(found)), DELIMITERS[delimiter]
            notices.append(
                f"Its cells are separated by {named} instead of {wanted}, according to its "
                "header row."
            )
        # A cell may be as long as a row.
        csv.field_size_limit(MAX_ROW_CHARACTERS + 1)
        self._begin = lines.number
        self._rows = csv.reader(chain([first], self._measured()), delimiter=found, strict=True)
        self._used = 0
        header = next(self._records(), None)
        if not header or not any(name.strip() for name in header[1]):
            raise DataError("line 1: the file is empty or has no header row")
        self.columns = header[1]
        require_names(self.columns, f"line {header[0]}")

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        for line, cells in self._records():
            is_blank = len(cells) == 1 < len(self.columns) and not cells[0].strip()
            if not cells or is_blank:
                continue
            if len(cells) != len(self.columns):
                begin = ", ".join(cells)[:40]
                raise DataError(
                    f"line {line}: {len(cells)} values for {len(self.columns)} columns: {begin!r}"
                )
            yield line, dict(zip(self.columns, cells, strict=True))

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yields every record, and the line that it begins in."""
        while True:
            begin = self._begin
            try:
                cells = next(self._rows, None)
            except csv.Error as error:
                hint = ""
                if "unexpected end" in str(error):
                    hint = ": a quotation mark is opened in this row and not closed"
                elif "expected after" in str(error):
                    hint = ": write a quotation mark within a quoted cell twice"
                raise DataError(f"line {begin}: {error}{hint}") from error
            if cells is None:
                return
            self._begin, self._used = self._lines.number + 1, 0
            yield begin, cells

    def _measured(self) -> Iterator[str]:
        """Yields the lines. Raises DataError for a record that is too long."""
        for line in self._lines:
            self._used += len(line)
            if self._used > MAX_ROW_CHARACTERS:
                raise DataError(f"line {self._begin}: {too_long()}")
            yield line


def _delimiter_of(header: str, expected: str) -> str:
    """The separator of a header row: the expected one, unless only another one divides the row."""
    for delimiter in (expected, *(one for one in DELIMITERS if one != expected)):
        try:
            if len(next(csv.reader([header], delimiter=delimiter), [])) > 1:
                return delimiter
        except csv.Error:
            continue
    return expected
