"""Where a row stands in its file, as a person finds it with an editor."""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from ft.api import DatasetMetadata, DatasetType

LINES = (DatasetType.PROJECT_CSV, DatasetType.PROJECT_JSON, DatasetType.PROJECT_JSONL)
"""Types of datasets that are one file."""


class Places:
    """Names rows by their number in the split that they come from, counted from 0."""

    def __init__(self, dataset: DatasetMetadata, project: Path, rows: int) -> None:
        self._word = "row"
        self._lines: list[int] = []
        if dataset.type not in LINES:
            return
        path = project / dataset.location
        if dataset.type == DatasetType.PROJECT_JSON and _is_list(path):
            self._word = "item"
            return
        lines = _of_csv(path) if dataset.type == DatasetType.PROJECT_CSV else _of_lines(path)
        # The library may read the file in another way; a wrong line is worse than none.
        if len(lines) == rows:
            self._word, self._lines = "line", lines

    def name(self, row: int) -> str:
        """`line 7` of a file of lines, `item 7` of a list in JSON, else `row 7`."""
        return f"{self._word} {self._lines[row] if self._lines else row + 1}"


def _of_csv(path: Path) -> list[int]:
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_rows_of_csv(file))[1:]  # without the header
    except (csv.Error, UnicodeDecodeError):
        return []


def _rows_of_csv(file: Iterator[str]) -> Iterator[int]:
    """Where each row begins; a cell may have line breaks in it, and blank lines are no rows."""
    rows = csv.reader(file)
    begin = 1
    for row in rows:
        if row and (len(row) > 1 or not row[0] or row[0].strip(" \t")):
            yield begin
        begin = rows.line_num + 1


def _of_lines(path: Path) -> list[int]:
    with path.open("rb") as file:
        return [number for number, line in enumerate(file, start=1) if line.strip()]


def _is_list(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")
