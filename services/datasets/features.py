"""Column names of local data, and the faults that are found while looking for them."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

CHECKED_ROWS = 100
"""How many first rows must agree in their columns."""
INFO_FILE = "dataset_info.json"
"""What the `datasets` library writes beside the data that it saves."""
MAX_CHARACTERS = 65_536
"""How long all column names together may be: every list of datasets carries them."""


class DataFault(Exception):
    """The data cannot be used. The message names the line where there is one."""


def of_csv(path: Path) -> list[str]:
    """The header row of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, strict=True)
        try:
            header = next(rows, None)
            if not header or not any(name.strip() for name in header):
                raise DataFault("line 1: the file is empty or has no header row")
            _require_distinct(header)
            for row in islice(rows, CHECKED_ROWS):
                if row and len(row) != len(header):
                    raise DataFault(
                        f"line {rows.line_num}: {len(row)} values for {len(header)} columns"
                    )
        except csv.Error as error:
            raise DataFault(f"line {rows.line_num}: {error}") from error
    return header


def of_json(path: Path) -> list[str]:
    """The keys of the objects in a JSON list."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_distinct)
    except json.JSONDecodeError as error:
        raise DataFault(f"line {error.lineno}: not JSON: {error.msg}") from error
    if not isinstance(rows, list) or not rows:
        raise DataFault("line 1: the file must hold a JSON list with at least one object")
    return _agreed((f"item {n}", row) for n, row in enumerate(rows[:CHECKED_ROWS], start=1))


def of_jsonl(path: Path) -> list[str]:
    """The keys of the objects in a file with one JSON object a line."""
    with path.open(encoding="utf-8-sig") as file:
        return _agreed(islice(_json_lines(file), CHECKED_ROWS))


def of_directory(path: Path) -> list[str]:
    """The columns of a directory that `datasets` saved, or of one with data files in it."""
    for info in sorted([*path.glob(INFO_FILE), *path.glob(f"*/{INFO_FILE}")]):
        if not info.is_file():  # a pipe, for one, would never begin to be read
            continue
        described = json.loads(info.read_text())
        features = described.get("features") if isinstance(described, dict) else None
        if isinstance(features, dict) and features:
            return list(features)
    for file in sorted(path.rglob("*"), key=lambda f: ("train" not in f.name, str(f))):
        if file.suffix in READERS and file.name != INFO_FILE and file.is_file():
            return READERS[file.suffix](file)
    raise DataFault(f"no dataset and no {', '.join(READERS)} file in the directory")


def _of_parquet(path: Path) -> list[str]:
    from pyarrow import ArrowException, parquet

    try:
        return list(parquet.read_schema(path).names)
    except ArrowException as error:
        raise DataFault(f"{path.name}: {error}") from error


READERS: dict[str, Callable[[Path], list[str]]] = {
    ".csv": of_csv,
    ".json": of_json,
    ".jsonl": of_jsonl,
    ".parquet": _of_parquet,
}


def read(path: Path, suffix: str = "") -> list[str]:
    """The column names of a directory, or of a file with that suffix, by default its own.

    Raises DataFault.
    """
    try:
        columns = of_directory(path) if path.is_dir() else READERS[suffix or path.suffix](path)
    except UnicodeDecodeError as error:
        raise DataFault(f"not UTF-8 text: byte {error.start} {error.reason}") from error
    except (OSError, ValueError, RecursionError) as error:
        # ValueError: not JSON, or a number with thousands of digits.
        raise DataFault(f"cannot be read: {error}") from error
    if (size := sum(map(len, columns))) > MAX_CHARACTERS:
        raise DataFault(f"column names have {size} characters; {MAX_CHARACTERS} are allowed")
    return columns


def _json_lines(file: Iterator[str]) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                yield f"line {number}", json.loads(line, object_pairs_hook=_distinct)
            except json.JSONDecodeError as error:
                raise DataFault(f"line {number}: not JSON: {error.msg}") from error


def _agreed(rows: Iterator[tuple[str, Any]]) -> list[str]:
    columns: list[str] | None = None
    for place, row in rows:
        if not isinstance(row, dict) or not row:
            raise DataFault(f"{place}: must be an object with at least one key")
        if columns is None:
            columns = list(row)
        elif set(row) != set(columns):
            raise DataFault(f"{place}: columns {sorted(row)} differ from {sorted(columns)}")
    if columns is None:
        raise DataFault("line 1: the file is empty")
    return columns


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _require_distinct([key for key, _ in pairs])
    return dict(pairs)


def _require_distinct(names: list[str]) -> None:
    repeated = sorted(name for name, times in Counter(names).items() if times > 1)
    if repeated:
        raise DataFault(f"column names appear more than once: {', '.join(repeated)}")
