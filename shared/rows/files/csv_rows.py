"""Rows of a CSV file: each cell is the text that is written there."""

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
        """`delimiter` is what the file's name tells. Raises DataError for the header row."""
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
        # The bound of all of a row holds for its cells too.
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
            if not cells or self._is_blank(cells):
                continue
            if len(cells) != len(self.columns):
                begin = ", ".join(cells)[:40]
                raise DataError(
                    f"line {line}: {len(cells)} values for {len(self.columns)} columns: {begin!r}"
                )
            yield line, dict(zip(self.columns, cells, strict=True))

    def _is_blank(self, cells: list[str]) -> bool:
        return len(cells) == 1 < len(self.columns) and not cells[0].strip()

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Every record, and the line that it begins in."""
        while True:
            begin = self._begin
            try:
                cells = next(self._rows, None)
            except csv.Error as error:
                raise DataError(f"line {begin}: {_said(error)}") from error
            if cells is None:
                return
            self._begin, self._used = self._lines.number + 1, 0
            yield begin, cells

    def _measured(self) -> Iterator[str]:
        for line in self._lines:
            self._used += len(line)
            if self._used > MAX_ROW_CHARACTERS:
                raise DataError(f"line {self._begin}: {too_long()}")
            yield line


def _delimiter_of(header: str, expected: str) -> str:
    """Separator of a header row: the expected one, unless it gives one cell and another one gives
    more."""
    for delimiter in (expected, *(one for one in DELIMITERS if one != expected)):
        try:
            if len(next(csv.reader([header], delimiter=delimiter), [])) > 1:
                return delimiter
        except csv.Error:
            continue
    return expected


def _said(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return f"{error}: a quotation mark is opened in this row and not closed"
    if "expected after" in str(error):
        return f"{error}: write a quotation mark within a quoted cell twice"
    return str(error)
