"""Rows of a file, read from the project's cache, or into it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EDQUOT, ENOSPC, EPERM, EROFS
from pathlib import Path

import pyarrow

from rows.cache import arrow_file
from rows.cache.arrow_file import ArrowRows
from rows.cache.cache_folder import CacheFolder
from rows.cache.process_folder import process_folder
from rows.errors import DataError
from rows.files import content
from rows.files.formats import Format
from rows.files.reader import VERSION, FileReader

_CANNOT_WRITE = (EACCES, EDQUOT, ENOSPC, EPERM, EROFS)
ATTEMPTS = 3
"""Number of times that a file is read if it changes meanwhile."""


class _NotWritable(DataError):
    """Nothing can be written into a folder. The message says why."""


class _Changed(Exception):
    """The file has changed since its reading began."""


def of_file(path: Path, format: Format, project: Path, location: str) -> tuple[ArrowRows, str]:
    """The rows of a file at that location, and the SHA-256 of its content.

    Raises DataError with the fault and its place, and OSError if the file cannot be read.
    """
    for _ in range(ATTEMPTS):
        digest = content.sha256(path)
        name = f"{digest}-{format}-{VERSION}.arrow"
        try:
            cache = CacheFolder(project)
            try:
                cache.prepare()
                cache.remove_abandoned()
                cache.refer(location, name)
            except OSError:
                pass  # The cache is an aid only.
            else:
                with suppress(_NotWritable):
                    return _read(path, format, cache.path(name), digest), digest
            # Where the project is read-only or full, rows are cached for this process alone.
            return _read(path, format, process_folder() / name, digest), digest
        except (_Changed, FileNotFoundError):
            # The file is being written, or its entry was removed because the file has changed.
            path.stat()
    raise DataError("the file changed while it was read: try again when it is complete")


def _read(path: Path, format: Format, entry: Path, digest: str) -> ArrowRows:
    with suppress(FileNotFoundError):
        try:
            return arrow_file.read(entry)
        except (pyarrow.ArrowException, KeyError, ValueError):
            with _writable():
                entry.unlink(missing_ok=True)  # It is damaged.
    with _writable():
        temporary = arrow_file.temporary(entry.parent)
    try:
        with FileReader(path, format) as reader:
            with _writable():
                arrow_file.write(reader, temporary)
            if reader.sha256() != digest:
                raise _Changed
        temporary.replace(entry)
    finally:
        temporary.unlink(missing_ok=True)
    return arrow_file.read(entry)


@contextmanager
def _writable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _CANNOT_WRITE:
            why = f"its rows cannot be cached: {error.strerror}"
            raise _NotWritable(why) from error
        raise
