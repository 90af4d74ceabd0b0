"""An Arrow file with the rows of another file, written in batches."""

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow
from datasets import Dataset, DatasetInfo, Features
from datasets.table import MemoryMappedTable

from rows import values
from rows.cache.cache_folder import TEMPORARY
from rows.cell_types import TEXT, JsonCell
from rows.files.reader import FileReader

BATCH_ROWS = 1000
BATCH_BYTES = 8 * 1024**2
"""A batch ends with the row that reaches it, so that memory is bounded by it and one row."""
_PLACE = "place"
"""Name of the first column, which is not part of the data: the number of each row."""
_ABOUT = b"rows"


@dataclass(frozen=True)
class ArrowRows:
    """Content of an Arrow file."""

    data: Dataset
    places: Any
    """Column with the place of each row in its file, an integer."""
    word: str
    """Unit of these places: `line`, `item` or `row`."""
    notices: list[str] = field(default_factory=list)
    fixed: bool = False
    """True if a header names the columns, so that no row lacks one."""


def write(reader: FileReader, target: Path) -> None:
    """Writes all rows of a reader into a new file. Raises DataError and OSError."""
    parts, columns = [target], dict.fromkeys(reader.columns, TEXT_ONLY)
    writer = _Writer(reader, target, columns)
    try:
        for place, row in reader:
            now = _after(columns, row)
            if now is not columns:
                # The rows so far are a part of their own, and are joined with the others later.
                writer.close()
                columns = now
                parts.append(target.with_name(f"{target.name}-{len(parts)}"))
                writer = _Writer(reader, parts[-1], columns)
            writer.add(place, row)
        writer.close()
        if len(parts) > 1:
            _join(parts, writer.schema)
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    finally:
        writer.discard()
        for part in parts[1:]:
            part.unlink(missing_ok=True)


TEXT_ONLY, AS_JSON = False, True
"""Storage of a column: texts, or JSON if a value is not a text."""


def _after(columns: dict[str, bool], row: dict[str, Any]) -> dict[str, bool]:
    """Storage of columns after adding the values of a row; the same object if nothing changes."""
    moved = {
        name: not (value is None or isinstance(value, str))
        for name, value in row.items()
        if name not in columns or not (columns[name] or value is None or isinstance(value, str))
    }
    return {**columns, **moved} if moved else columns


class _Writer:
    """Writer of one part."""

    def __init__(self, reader: FileReader, target: Path, columns: dict[str, bool]) -> None:
        self._columns = columns
        about = {
            "json": [name for name, as_json in columns.items() if as_json],
            "word": reader.word,
            "notices": reader.notices,
            "fixed": reader.is_text,
        }
        fields = [pyarrow.field(name, pyarrow.large_string()) for name in columns]
        place = pyarrow.field(_PLACE, pyarrow.int64())
        self.schema = pyarrow.schema([place, *fields], {_ABOUT: json.dumps(about)})
        self._file = os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._stream = pyarrow.ipc.new_stream(self._file, self.schema)
        self._clear()

    def add(self, place: int, row: dict[str, Any]) -> None:
        """Adds a row."""
        self._places.append(place)
        for name, as_json in self._columns.items():
            value = row.get(name)
            text = values.to_json(value) if as_json and value is not None else value
            cell = None if text is None else text.encode()
            self._cells[name].append(cell)
            self._bytes += len(cell or b"")
        if self._bytes >= BATCH_BYTES or len(self._places) >= BATCH_ROWS:
            self._flush()

    def close(self) -> None:
        """Ends the part."""
        self._flush()
        self._stream.close()
        self._file.close()

    def discard(self) -> None:
        """Closes the file of a part that is not complete."""
        with suppress(OSError):
            self._file.close()

    def _flush(self) -> None:
        if self._places:
            kind = pyarrow.large_string()
            cells = [pyarrow.array(cells, kind) for cells in self._cells.values()]
            places = pyarrow.array(self._places, pyarrow.int64())
            self._stream.write_batch(
                pyarrow.RecordBatch.from_arrays([places, *cells], schema=self.schema)
            )
        self._clear()

    def _clear(self) -> None:
        self._places: list[int] = []
        self._cells: dict[str, list[bytes | None]] = {name: [] for name in self._columns}
        self._bytes = 0


def _join(parts: list[Path], schema: Any) -> None:
    """Joins the parts into the first one, all with the columns of the last."""
    joined = parts[0].with_name(f"{parts[0].name}-joined")
    parts.append(joined)
    descriptor = os.open(joined, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file, pyarrow.ipc.new_stream(file, schema) as stream:
        for part in parts[:-1]:
            with (
                pyarrow.memory_map(str(part)) as mapped,
                pyarrow.ipc.open_stream(mapped) as batches,
            ):
                for batch in batches:
                    stream.write_batch(_widened(batch, schema))
    joined.replace(parts[0])


def _widened(batch: Any, schema: Any) -> Any:
    """A batch with the columns of a later part: absent ones are null, texts become JSON."""
    before, after = (set(_about(one)["json"]) for one in (batch.schema, schema))
    columns = list(batch.columns)
    for number, name in enumerate(batch.schema.names):
        if number and name in after - before:
            texts = columns[number].to_pylist()
            quoted = [None if text is None else values.to_json(text) for text in texts]
            columns[number] = pyarrow.array(quoted, pyarrow.large_string())
    nulls = pyarrow.nulls(batch.num_rows, pyarrow.large_string())
    columns += [nulls] * (len(schema) - len(columns))
    return pyarrow.RecordBatch.from_arrays(columns, schema=schema)


def _about(schema: Any) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(schema.metadata[_ABOUT])
    return about


def temporary(folder: Path) -> Path:
    """A name in a folder for a file that is being written."""
    descriptor, name = tempfile.mkstemp(prefix=TEMPORARY, dir=folder)
    os.close(descriptor)
    return Path(name)


def read(path: Path) -> ArrowRows:
    """Content of the file, mapped into memory. The file may be removed afterwards.

    Raises OSError and pyarrow.ArrowException.
    """
    table = MemoryMappedTable.from_file(str(path))
    about = _about(table.schema)
    data = table.remove_column(0).replace_schema_metadata(None)
    kept_as_json = set(about["json"])
    features = Features(
        {name: JsonCell() if name in kept_as_json else TEXT for name in data.column_names}
    )
    rows = Dataset(data, DatasetInfo(features=features))
    return ArrowRows(rows, table.column(0), about["word"], about["notices"], about["fixed"])
