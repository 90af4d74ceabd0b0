"""Column names of local data, and the faults that are found while looking for them."""

import json
from collections.abc import Iterator
from math import inf
from pathlib import Path

from ft import data_files
from rows.errors import DataError, first_line
from rows.files import formats
from rows.files.formats import FileKind, Format
from rows.files.limits import MAX_NAME_CHARACTERS
from rows.files.reader import Columns, first_columns

CHECKED_ROWS = 100
"""Number of first rows that are checked."""
NAMING_BYTES = 64 * 1024**2
"""Bytes of a JSON file that registration reads for column names; this takes about a second."""
ARROW = ".arrow"
INFO_FILE = "dataset_info.json"
"""What the `datasets` library writes beside the data that it saves."""


class DataFault(Exception):
    """The data cannot be used. The message names the line where there is one."""


def look(path: Path, format: Format | None) -> Columns:
    """The columns of a file of that format, or of a directory. Raises DataFault."""
    try:
        columns = of_directory(path) if format is None else _of_file(path, format, listed=True)
    except (DataError, OSError, ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, DataError) else f"cannot be read: {error}"
        raise DataFault(why) from error
    if (size := sum(map(len, columns.names))) > MAX_NAME_CHARACTERS:
        raise DataFault(f"column names have {size} characters; {MAX_NAME_CHARACTERS} are allowed")
    return columns


def read(path: Path) -> list[str]:
    """The column names of a directory, or of a file by its ending. Raises DataFault."""
    return look(path, None if path.is_dir() else formats.of_name(path.name)).names


def look_through(path: Path, format: Format | None, until: float) -> Columns:
    """The columns that any row of a file, or of the files of a directory, has.

    Ends at a time of `time.monotonic`; `Columns.unread` says so. Raises DataFault.
    """
    if format is not None:
        return _through([(path, format)], until)
    first = of_directory(path)
    saved = next(path.rglob(INFO_FILE), None) is not None
    return first if saved else _through(list(_data_files(path)), until)


def _through(files: list[tuple[Path, Format]], until: float) -> Columns:
    names: dict[str, None] = {}
    unread = []
    for path, form in files:
        try:
            found = first_columns(path, form, 0, inf, until)
        except (DataError, OSError, ValueError, RecursionError) as error:
            unread.append(f"{path.name}: {error}")
            continue
        names |= dict.fromkeys(found.names)
        unread += [found.unread] * bool(found.unread)
    return Columns(list(names), [], unread="; ".join(unread[:3]))


def of_directory(path: Path) -> Columns:
    """The columns of a directory that `datasets` saved, or of one with data files in it."""
    for info in sorted([*path.glob(INFO_FILE), *path.glob(f"*/{INFO_FILE}")]):
        if not info.is_file():  # a pipe, for one, would never begin to be read
            continue
        described = json.loads(info.read_text())
        features = described.get("features") if isinstance(described, dict) else None
        if isinstance(features, dict) and features:
            return Columns(list(features), [])
    if found := first_file(path):
        return _of_file(*found, listed=False)
    for file in _files(path):
        if file.suffix.lower() == ARROW:
            return Columns(_names_in_arrow(file), [])
    endings = ", ".join(one for of in data_files.ENDINGS.values() for one in of)
    raise DataFault(
        f"no dataset and no {endings}, {data_files.PARQUET} or {ARROW} file in the directory"
    )


def first_file(path: Path) -> tuple[Path, Format] | None:
    """The file of a directory that its columns are read from; None if there is none."""
    return next(_data_files(path), None)


def _files(path: Path) -> Iterator[Path]:
    for file in sorted(path.rglob("*"), key=lambda f: ("train" not in f.name, str(f))):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if not hidden and file.is_file():
            yield file


def _data_files(path: Path) -> Iterator[tuple[Path, Format]]:
    for file in _files(path):
        found = None if file.name == INFO_FILE else formats.of_name(file.name)
        if found:
            yield file, found


def _names_in_arrow(file: Path) -> list[str]:
    """The columns of a file that jobs read with `datasets`, in either of Arrow's two forms."""
    import pyarrow

    with pyarrow.memory_map(str(file)) as content:
        try:
            names = pyarrow.ipc.open_stream(content).schema.names
        except pyarrow.ArrowInvalid:
            content.seek(0)
            try:
                names = pyarrow.ipc.open_file(content).schema.names
            except pyarrow.ArrowInvalid as error:
                raise DataFault(f"{file.name} is not an Arrow file: {first_line(error)}") from error
    return list(names)


def _of_file(path: Path, format: Format, *, listed: bool) -> Columns:
    """The columns of a file. One that ends in .json has to be a list where it is `listed` alone."""
    try:
        columns = first_columns(path, format, CHECKED_ROWS, NAMING_BYTES)
    except DataError as error:
        if format.kind is FileKind.PARQUET:
            raise DataFault(f"{path.name}: {error}") from error
        raise
    if listed and format.kind is FileKind.JSON and columns.word != "item":
        raise DataFault(
            "line 1: the file must contain a JSON list with at least one object; if it has one "
            "object per line, rename it to .jsonl"
        )
    return columns
