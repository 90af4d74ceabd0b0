"""An Arrow file with the rows of another file, written a batch at a time."""

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow
from datasets import Dataset, Features
from datasets.table import MemoryMappedTable

from rows import values
from rows.cell_types import TEXT, JsonCell
from rows.entries import TEMPORARY
from rows.files.reader import FileReader

BATCH_ROWS = 1000
BATCH_BYTES = 8 * 1024**2
"""A batch ends with the row that reaches it, so that memory is bounded by it and one row."""
_PLACE = "place"
"""Name of the first column, which is no column of the data: where each row stands."""
_ABOUT = b"rows"


@dataclass(frozen=True)
class Rows:
    """What is in an Arrow file."""

    data: Dataset
    places: Any
    """Where each row stands in its file: a column of whole numbers."""
    word: str
    """What those numbers count: `line`, `item` or `row`."""
    notices: list[str] = field(default_factory=list)


def write(reader: FileReader, target: Path) -> None:
    """Writes all rows of a reader into a new file. Raises DataError and OSError."""
    parts = [target]
    try:
        writer = _Writer(reader, target)
        for place, row in reader:
            if len(reader.columns) > len(writer.columns):
                # A name that was not there before: the rows so far are another part.
                writer.close()
                parts.append(target.with_name(f"{target.name}-{len(parts)}"))
                writer = _Writer(reader, parts[-1])
            writer.add(place, row)
        writer.close()
        if len(parts) > 1:
            _join(parts, writer.schema)
    finally:
        for part in parts[1:]:
            part.unlink(missing_ok=True)


class _Writer:
    def __init__(self, reader: FileReader, target: Path) -> None:
        self.columns = reader.columns
        self._text = reader.is_text
        self.schema = _schema(reader)
        self._file = os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._stream = pyarrow.ipc.new_stream(self._file, self.schema)
        self._clear()

    def add(self, place: int, row: dict[str, Any]) -> None:
        self._places.append(place)
        for name, cells in self._cells.items():
            value = row.get(name)
            cell = self._encoded(value)
            cells.append(cell)
            self._bytes += len(cell or b"")
        if self._bytes >= BATCH_BYTES or len(self._places) >= BATCH_ROWS:
            self._flush()

    def _encoded(self, value: Any) -> bytes | None:
        if value is None:
            return None
        return (value if self._text else values.to_json(value)).encode()

    def close(self) -> None:
        self._flush()
        self._stream.close()
        self._file.flush()
        os.fsync(self._file.fileno())
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
        self._cells: dict[str, list[bytes | None]] = {name: [] for name in self.columns}
        self._bytes = 0


def _schema(reader: FileReader) -> Any:
    about = {"text": reader.is_text, "word": reader.word, "notices": reader.notices}
    fields = [pyarrow.field(name, pyarrow.large_string()) for name in reader.columns]
    place = pyarrow.field(_PLACE, pyarrow.int64())
    return pyarrow.schema([place, *fields], {_ABOUT: json.dumps(about)})


def _join(parts: list[Path], schema: Any) -> None:
    """Puts the parts together as the first of them."""
    joined = parts[0].with_name(f"{parts[0].name}-joined")
    parts.append(joined)
    descriptor = os.open(joined, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with pyarrow.ipc.new_stream(file, schema) as stream:
            for part in parts[:-1]:
                for batch in _batches(part):
                    missing = len(schema) - batch.num_columns
                    nulls = [pyarrow.nulls(batch.num_rows, pyarrow.large_string())] * missing
                    stream.write_batch(
                        pyarrow.RecordBatch.from_arrays([*batch.columns, *nulls], schema=schema)
                    )
        file.flush()
        os.fsync(file.fileno())
    joined.replace(parts[0])


def _batches(part: Path) -> Iterator[Any]:
    with pyarrow.memory_map(str(part)) as file, pyarrow.ipc.open_stream(file) as stream:
        yield from stream


def temporary(folder: Path) -> Path:
    """A name in a folder for a file that is being written."""
    descriptor, name = tempfile.mkstemp(prefix=TEMPORARY, dir=folder)
    os.close(descriptor)
    return Path(name)


def read(path: Path) -> Rows:
    """What is in the file, mapped into memory: it may be removed from then on.

    Raises OSError and pyarrow.ArrowException.
    """
    table = MemoryMappedTable.from_file(str(path))
    about = json.loads(table.schema.metadata[_ABOUT])
    data = table.remove_column(0).replace_schema_metadata(None)
    cell = TEXT if about["text"] else JsonCell()
    features = Features(dict.fromkeys(data.column_names, cell))
    return Rows(Dataset(data, features=features), table.column(0), about["word"], about["notices"])
