"""The reader of files of rows."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import inf
from pathlib import Path
from types import TracebackType
from typing import Any

from rows.errors import DataError, NoRowsError
from rows.files import json_rows
from rows.files.content import Content
from rows.files.csv_rows import CsvRows
from rows.files.formats import FileKind, Format
from rows.files.names import require_names
from rows.files.parquet_rows import ParquetRows
from rows.values import JsonReader

Row = tuple[int, dict[str, Any]]
VERSION = 1
"""Version of the reader, which changes when a file may be read as other rows than before. Releases
without a reader of their own had no version."""


class FileReader:
    """One open file: `with FileReader(path, format) as reader: for place, row in reader: …`.

    Raises OSError, and DataError, naming the line, for a file that cannot be read completely.
    """

    def __init__(self, path: Path, format: Format) -> None:
        self.format = format
        self._content = Content(path, format)
        self._parquet: ParquetRows | None = None
        self._csv: CsvRows | None = None
        self._json = JsonReader()
        self.word = "line"
        """Unit of a row's number: lines, items of a list, or rows."""
        self._columns: dict[str, None] = {}
        try:
            kind = format.kind
            if kind is FileKind.PARQUET:
                self.word = "row"
                self._parquet = ParquetRows(path, self.notices)
                self._add_columns(self._parquet.columns, "the file")
            elif kind in (FileKind.CSV, FileKind.TSV):
                delimiter = "\t" if kind is FileKind.TSV else ","
                self._csv = CsvRows(self._content.text(), delimiter, self.notices)
                self._add_columns(self._csv.columns, "line 1")
            elif kind is FileKind.JSON and self._content.begins_with("["):
                self.word = "item"
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "FileReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        if self._parquet:
            self._parquet.close()
        self._content.close()

    @property
    def columns(self) -> list[str]:
        """The columns found so far, in order. Further rows of JSON may have more."""
        return list(self._columns)

    @property
    def notices(self) -> list[str]:
        """Notices about how the file is read."""
        return self._content.notices

    @property
    def is_text(self) -> bool:
        """True if every cell is a text."""
        return self._csv is not None

    @property
    def names_are_fixed(self) -> bool:
        """True if further rows cannot have more columns."""
        return self._csv is not None or self._parquet is not None

    def take_names(self, rows: Iterator[Row], max_bytes: float, until: float) -> str:
        """Reads on in `rows`, the reader's own iterator, for column names only.

        It ends after `max_bytes` of the file, unpacked, at the time `until` of `time.monotonic`,
        and at a fault. Either is a notice: a fault is an error only once a job needs the rows.
        Returns the reason why it ended early, or an empty text.
        """
        self._json.names_only = True
        place = 0
        try:
            for place, _ in rows:
                if self._content.size > max_bytes or time.monotonic() > until:
                    self.notices.append(
                        f"Column names are listed up to {self.word} {place}. Templates can also "
                        "use columns that appear later."
                    )
                    return f"it was searched up to {self.word} {place}"
        except (DataError, ValueError) as error:
            self.notices.append(f"Jobs that use it are refused: {error}.")
            return f"the file cannot be read to its end: {error}"
        return ""

    def sha256(self) -> str:
        """The hash of all bytes of the file."""
        return self._content.sha256()

    def __iter__(self) -> Iterator[Row]:
        found = False
        rows: Iterator[Row]
        if self._parquet is not None:
            rows = iter(self._parquet)
        elif self._csv is not None:
            rows = iter(self._csv)
        else:
            of = json_rows.of_list if self.word == "item" else json_rows.of_lines
            rows = of(self._content.text(), self._json)
        for place, row in rows:
            found = True
            if not row.keys() <= self._columns.keys():
                self._add_columns(row, f"{self.word} {place}")
            yield place, row
        if not found:
            raise NoRowsError(f"{self.word} 1: there are only column names and no rows")

    def _add_columns(self, names: Any, place: str) -> None:
        """Adds the columns of a row. Raises DataError for names that are not allowed."""
        require_names(
            [*self._columns, *(name for name in names if name not in self._columns)], place
        )
        self._columns |= dict.fromkeys(names)


@dataclass(frozen=True)
class Columns:
    """Columns of a file."""

    names: list[str]
    notices: list[str]
    """Notices about how the file is read."""
    word: str = "line"
    """See `FileReader.word`."""
    unread: str = ""
    """Reason why there may be more names, if not all of the file was read."""


def first_columns(
    path: Path, format: Format, checked: int, max_bytes: float, until: float = inf
) -> Columns:
    """The columns of a file. Raises DataError for a fault in the first `checked` rows, and OSError.

    Later rows of JSON may have more columns; see `FileReader.take_names` for how far they are read.
    """
    with FileReader(path, format) as reader:
        rows = iter(reader)
        try:
            deque(islice(rows, checked), maxlen=0)
        except NoRowsError as error:
            reader.notices.append(f"Jobs that use it are refused: {error}.")
        unread = "" if reader.names_are_fixed else reader.take_names(rows, max_bytes, until)
        return Columns(reader.columns, reader.notices, reader.word, unread)
