"""Column names of a dataset of the hub, by the beginning of its first file.

For a dataset whose columns neither its card nor the hub's viewer names. They are those that the
`datasets` library finds in a training. However large the file is, a few MiB of it are asked for.
"""

import bz2
import io
import json
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

NAMING_ROWS = 10_000
"""Number of first rows that are read for column names."""
HEAD_BYTES = 4 * 1024 * 1024
"""Bytes that are requested from the beginning of a file; a longer row is not read."""
UNPACKED_BYTES = 4 * HEAD_BYTES
"""Largest size of these bytes after decompression."""
FOOTER_BYTES = 65_536
MAX_FOOTER_BYTES = 16 * 1024 * 1024
"""Largest footer of a Parquet file; that of 10,000 columns has a tenth of it."""
_MAGIC = b"PAR1"


class UntoldColumns(Exception):
    """The columns cannot be determined. The message says why."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of the hub."""

    name: str
    size: int
    part: Callable[[int, int], bytes]
    """Reads that many bytes from an offset on."""


@dataclass(frozen=True)
class Head:
    """The beginning of a file."""

    content: bytes
    whole: bool
    """True if that is the whole file."""


def read(file: RemoteFile, kind: str, config: Any) -> list[str]:
    """The column names of a file that a builder of the `datasets` library reads; `kind` is the name
    of the builder, `config` its config.

    Raises UntoldColumns, and what `part` raises.
    """
    reader = _READERS.get(kind)
    if reader is None:
        raise UntoldColumns(f"its files are read as {kind}, which has no column names")
    if file.size == 0:
        raise UntoldColumns(f"{file.name} is empty")
    try:
        names = reader(file, config)
    except UntoldColumns:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # What a card says of a file's settings may be anything.
        raise UntoldColumns(f"{file.name} cannot be read: {error}") from error
    if not names:
        raise UntoldColumns(f"{file.name} has no columns")
    return names


def _of_csv(file: RemoteFile, config: Any) -> list[str]:
    import pandas
    import pyarrow

    head = _lines(file)
    # As the library's own reader does, but for the number of rows.
    settings = {**config.pd_read_csv_kwargs, "nrows": 1, "chunksize": None}
    frame = pandas.read_csv(io.BytesIO(head.content), **settings)
    return list(pyarrow.Table.from_pandas(frame).column_names)


def _of_json(file: RemoteFile, config: Any) -> list[str]:
    head = _head(file)
    text = head.content.decode(config.encoding, errors="ignore").removeprefix("\ufeff").lstrip()
    if config.field is not None:
        if not head.whole:
            raise UntoldColumns(f"its rows are in {config.field!r} of {file.name}, a large file")
        text = json.dumps(json.loads(text)[config.field])
    names: dict[str, None] = {}
    rows = 0
    for row in islice(_values(text, whole=head.whole), NAMING_ROWS):
        rows += 1
        names |= dict.fromkeys(row if isinstance(row, dict) else ("text",))
    if not rows:
        raise UntoldColumns(f"the first row of {file.name} is longer than {HEAD_BYTES} bytes")
    return list(names)


def _values(text: str, *, whole: bool) -> Iterator[Any]:
    """The values of a JSON list, or of a text with one after the other, as far as they go."""
    decoder, place = json.JSONDecoder(), 1 if text.startswith("[") else 0
    while place < len(text):
        if text[place] in " \t\r\n,":
            place += 1
        elif text[place] == "]":
            return
        else:
            try:
                value, place = decoder.raw_decode(text, place)
            except ValueError:
                if whole:
                    raise
                return  # It goes on behind the part that was read.
            yield value


def _of_arrow(file: RemoteFile, _config: Any) -> list[str]:
    import pyarrow

    return list(pyarrow.ipc.open_stream(_head(file).content).schema.names)


def _of_parquet(file: RemoteFile, config: Any) -> list[str]:
    from pyarrow import parquet

    footer = file.part(max(file.size - FOOTER_BYTES, 0), FOOTER_BYTES)
    length = int.from_bytes(footer[-8:-4], "little") + 8
    if not footer.endswith(_MAGIC) or length > file.size:
        raise UntoldColumns(f"{file.name} is not a Parquet file")
    if length > MAX_FOOTER_BYTES:
        raise UntoldColumns(f"the footer of {file.name} has {length} bytes")
    if length > len(footer):
        footer = file.part(file.size - length, length)
    # The schema is in the footer; what lies before it is not looked at.
    names = parquet.read_schema(io.BytesIO(_MAGIC + footer[-length:])).names
    return [name for name in config.columns or names if name in names]


def _lines(file: RemoteFile) -> Head:
    """The beginning of the file up to the end of a line."""
    head = _head(file)
    if head.whole:
        return head
    end = max(head.content.rfind(b"\n"), head.content.rfind(b"\r")) + 1
    if not end:
        raise UntoldColumns(f"the first line of {file.name} is longer than {HEAD_BYTES} bytes")
    return Head(head.content[:end], whole=False)


def _head(file: RemoteFile) -> Head:
    content = file.part(0, min(HEAD_BYTES, file.size))
    whole = len(content) >= file.size
    suffix = file.name.lower().rpartition(".")[2]
    if suffix in ("zip", "zst", "lz4", "7z", "rar", "tar"):
        raise UntoldColumns(f"{file.name} is an archive, and archives are not read")
    unpack = _UNPACKERS.get(suffix)
    if unpack is None:
        return Head(content, whole)
    try:
        unpacked = unpack(content)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise UntoldColumns(f"{file.name} cannot be unpacked: {error}") from error
    return Head(unpacked, whole and len(unpacked) < UNPACKED_BYTES)


_UNPACKERS: Mapping[str, Callable[[bytes], bytes]] = {
    "gz": lambda content: zlib.decompressobj(31).decompress(content, UNPACKED_BYTES),
    "bz2": lambda content: bz2.BZ2Decompressor().decompress(content, UNPACKED_BYTES),
    "xz": lambda content: lzma.LZMADecompressor().decompress(content, UNPACKED_BYTES),
}
_READERS: Mapping[str, Callable[[RemoteFile, Any], list[str]]] = {
    "csv": _of_csv,
    "json": _of_json,
    "text": lambda _file, _config: ["text"],
    "arrow": _of_arrow,
    "parquet": _of_parquet,
}
"""By the name of the library's builder."""
