"""The reader of files of rows."""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

from rows.errors import DataError, NoRowsError
from rows.files import json_rows
from rows.files.content import Content
from rows.files.csv_rows import CsvRows
from rows.files.formats import Format, Kind
from rows.files.names import require_names
from rows.files.parquet_rows import ParquetRows

VERSION = 1
"""Moves whenever a file may be read as other rows than before. Releases that had no reader of their
own had no version."""


class FileReader:
    """One open file: `with FileReader(path, format) as reader: for place, row in reader: …`.

    Raises DataError, naming the line, for a file that cannot be read whole, and OSError.
    """

    def __init__(self, path: Path, format: Format) -> None:
        self.format = format
        self._path = path
        self._content = Content(path, format)
        self._parquet: ParquetRows | None = None
        self._csv: CsvRows | None = None
        self.word = "line"
        """What the number of a row counts: lines, items of a list, or rows."""
        self._columns: dict[str, None] = {}
        try:
            self._begin()
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
        """The columns that were seen, in their order. Rows of JSON may bring more."""
        return list(self._columns)

    @property
    def notices(self) -> list[str]:
        """What whoever uses the file is to know of how it is read."""
        return self._content.notices

    @property
    def is_text(self) -> bool:
        """Whether every cell is a text."""
        return self._csv is not None

    def sha256(self) -> str:
        """The hash of the file's bytes, those that were read on the way among them."""
        return self._content.sha256()

    def _begin(self) -> None:
        kind = self.format.kind
        if kind is Kind.PARQUET:
            self.word = "row"
            self._parquet = ParquetRows(self._path, self.notices)
            self._see(self._parquet.columns, "the file")
        elif kind in (Kind.CSV, Kind.TSV):
            delimiter = "\t" if kind is Kind.TSV else ","
            self._csv = CsvRows(self._content.text(), delimiter, self.notices)
            self._see(self._csv.columns, "line 1")
        elif kind is Kind.JSON and self._content.begins_with("["):
            self.word = "item"

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        found = False
        for place, row in self._rows():
            found = True
            if not row.keys() <= self._columns.keys():
                self._see(row, f"{self.word} {place}")
            yield place, row
        if not found:
            raise NoRowsError(f"{self.word} 1: there are no rows, but names of columns only")

    def _rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        if self._parquet is not None:
            return iter(self._parquet)
        if self._csv is not None:
            return iter(self._csv)
        of = json_rows.of_list if self.word == "item" else json_rows.of_lines
        return of(self._content.text())

    def _see(self, names: Any, place: str) -> None:
        require_names(
            [*self._columns, *(name for name in names if name not in self._columns)], place
        )
        self._columns |= dict.fromkeys(names)


@dataclass(frozen=True)
class Columns:
    """What the first rows of a file tell."""

    names: list[str]
    notices: list[str]
    """What whoever uses the file is to know of how it is read."""
    word: str = "line"
    """See `FileReader.word`."""


def first_columns(path: Path, format: Format, checked: int, more: int) -> Columns:
    """The columns of a file by its first rows.

    The first `checked` rows must be right; of so many `more` the names of columns are taken as far
    as they can be read. Raises DataError and OSError.
    """
    with FileReader(path, format) as reader:
        rows = iter(reader)
        try:
            deque(islice(rows, checked), maxlen=0)
        except NoRowsError as error:
            reader.notices.append(f"A job over it is refused: {error}.")
        if not reader.is_text:
            with suppress(DataError):  # That is told when all rows are read.
                deque(islice(rows, more), maxlen=0)
        return Columns(reader.columns, reader.notices, reader.word)
