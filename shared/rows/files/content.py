"""Content of a file: its bytes, hashed as they are read, and their text."""

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from rows.errors import DataError
from rows.files.formats import FileKind, Format
from rows.files.limits import FREE_UNPACKED_BYTES, MAX_ROW_CHARACTERS, MAX_UNPACKED_RATIO

HASHED_BYTES = 1024**2
UNPACKING_ERRORS = (gzip.BadGzipFile, EOFError, zlib.error)
_ESCAPED = re.compile("[\udc80-\udcff]")
"""Bytes that are not UTF-8, as Python's `surrogateescape` has them."""
_SIGNATURES = (
    (b"PK\x03\x04", "it is a ZIP archive or an Excel workbook: save the sheet as CSV in UTF-8"),
    (b"\xd0\xcf\x11\xe0", "it is an old Excel workbook: save the sheet as CSV in UTF-8"),
    (b"PAR1", "it is a Parquet file: name it .parquet, and register it as type project"),
    (b"\x1f\x8b", "it is compressed by gzip: rename it to end in .gz"),
    (b"BZh", "it is compressed by bzip2: unpack it first"),
    (b"\xfd7zXZ", "it is compressed by xz: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "it is compressed by zstd: unpack it first"),
    (b"\xff\xfe\x00\x00", "it is UTF-32: save it as UTF-8"),
    (b"\x00\x00\xfe\xff", "it is UTF-32: save it as UTF-8"),
)


class _Hashed(io.RawIOBase):
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.digest.update(data)
        self.size += len(data)
        return len(data)


class _Unpacked(io.RawIOBase):
    """Content of a compressed file, up to a bound."""

    def __init__(self, packed: _Hashed) -> None:
        self._packed = packed
        self._file = gzip.GzipFile(fileobj=io.BufferedReader(packed), mode="rb")
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._file.read1(len(buffer))
        except UNPACKING_ERRORS as error:
            raise DataError(f"the file is not a gzip file, or is truncated: {error}") from error
        buffer[: len(data)] = data
        self.size += len(data)
        if self.size > max(FREE_UNPACKED_BYTES, self._packed.size * MAX_UNPACKED_RATIO):
            raise DataError(
                f"the file unpacks to more than {MAX_UNPACKED_RATIO} times its size, which is "
                "not allowed"
            )
        return len(data)


class Content:
    """An open file. Raises OSError if it cannot be opened."""

    def __init__(self, path: Path, format: Format) -> None:
        self._file = path.open("rb")
        self._format = format
        self._hashed = _Hashed(self._file)
        self._raw = _Unpacked(self._hashed) if format.gzipped else self._hashed
        self._buffer = io.BufferedReader(self._raw)
        self.notices: list[str] = []
        """Notices about how the file is read."""

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    @property
    def size(self) -> int:
        """Number of bytes that were read so far, unpacked."""
        return self._raw.size

    def sha256(self) -> str:
        """The hash of all bytes of the file; reads the rest of it."""
        while block := self._file.read(HASHED_BYTES):
            self._hashed.digest.update(block)
        return self._hashed.digest.hexdigest()

    def begins_with(self, character: str) -> bool:
        """Tells whether that is the first character after whitespace and a byte order mark."""
        # Without its NULs, UTF-16 is ASCII as far as brackets and whitespace go.
        begin = self._buffer.peek(4096).lstrip(b"\xef\xbb\xbf\xff\xfe").replace(b"\0", b"")
        return begin.lstrip().startswith(character.encode())

    def text(self) -> "Lines":
        """The lines of text. Raises DataError if the first bytes are those of another format."""
        begin = self._buffer.peek(4)
        for signature, remedy in _SIGNATURES:
            if begin.startswith(signature):
                raise DataError(f"line 1: not a text: {remedy}")
        # In JSON a line ends with a line feed only; a cell of a CSV keeps its line ends.
        newline = "" if self._format.kind in (FileKind.CSV, FileKind.TSV) else "\n"
        if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
            self.notices.append("The file is read as UTF-16, because of its first bytes.")
            return Lines(io.TextIOWrapper(self._buffer, "utf-16", newline=newline))
        return Lines(io.TextIOWrapper(self._buffer, "utf-8-sig", "surrogateescape", newline))


class Lines:
    """A text that is read and checked in lines or in pieces."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.number = 0
        """Number of line ends that were read."""

    def __iter__(self) -> Iterator[str]:
        while line := self.next():
            yield line

    def next(self) -> str:
        """The next line with its end; empty at the end. Raises DataError, naming the line, if it is
        not text."""
        line = self._read(self._text.readline, MAX_ROW_CHARACTERS + 1)
        if line:
            self.number += 1
            self._check(line, self.number)
        if len(line) > MAX_ROW_CHARACTERS:
            raise DataError(f"line {self.number}: {too_long()}")
        return line

    def piece(self, size: int) -> str:
        """The next `size` characters; fewer at the end. Raises DataError as `next` does."""
        found = self._read(self._text.read, size)
        self._check(found, self.number + 1)
        self.number += found.count("\n")
        return found

    def _read(self, read: Callable[[int], str], size: int) -> str:
        try:
            return read(size)
        except UnicodeError as error:
            raise DataError(f"line {self.number + 1}: not UTF-16 text: {error}") from error
        except DataError as error:
            raise DataError(f"line {self.number + 1}: {error}") from error

    def _check(self, text: str, line: int) -> None:
        """Raises DataError for bytes that are not text, in the text that begins in that line."""
        found = None if text.isascii() else _ESCAPED.search(text)
        at = found.start() if found else text.find("\0")
        if at < 0:
            return
        begin, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        line += text.count("\n", 0, at)
        whole = text[begin : None if end < 0 else end]
        if found:
            raise DataError(f"line {line}: {_not_utf8(whole)}")
        if whole.count("\0") * 3 > len(whole):
            raise DataError(
                f"line {line}: NUL in every other byte: it is likely UTF-16 without its mark; save "
                "it as UTF-8"
            )
        before = whole.partition("\0")[0][-20:]
        raise DataError(f"line {line}: a NUL character after {before!r}: the file is damaged")


def too_long() -> str:
    """Message about a row beyond the bound."""
    return f"a row has more than {MAX_ROW_CHARACTERS:,} characters; is a quotation mark not closed?"


def _not_utf8(line: str) -> str:
    """Message about the first byte of a line that is not UTF-8."""
    at = next(_ESCAPED.finditer(line)).start()
    byte, before = ord(line[at]) - 0xDC00, line[:at].encode()
    around = line[max(at - 10, 0) : at + 10].encode(errors="surrogateescape")
    try:
        shown = f"; as Windows-1252 (Latin-1, ANSI) it reads {around.decode('cp1252').strip()!r}"
    except UnicodeError:
        shown = ""
    return (
        f"not UTF-8 text: byte {len(before)} of the line is 0x{byte:02x}{shown}. Save the file as "
        'UTF-8 (in Excel: "CSV UTF-8"), or convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW'
    )


def sha256(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
