"""Rows of a file, from the project's folder of entries, or read into it."""

import tempfile
from contextlib import suppress
from errno import EDQUOT, ENOSPC
from functools import cache
from pathlib import Path

import pyarrow

from rows import arrow_file
from rows.arrow_file import Rows
from rows.entries import Entries
from rows.errors import DataError
from rows.files import content
from rows.files.formats import Format
from rows.files.reader import VERSION, FileReader

ATTEMPTS = 3
"""Times that a file is read which somebody writes meanwhile."""


class _Changed(Exception):
    """The file is another than when its reading began."""


def of_file(path: Path, format: Format, project: Path, location: str) -> tuple[Rows, str]:
    """The rows of a file at that location, and the SHA-256 of its content.

    Raises DataError naming what is wrong and where, and OSError if the file cannot be read.
    """
    for _ in range(ATTEMPTS):
        digest = content.sha256(path)
        name = f"{digest}-{format}-{VERSION}.arrow"
        # What cannot be kept in the project, as where it is read-only or full, is kept nowhere.
        for folder in (_in_project(project, location, name), _own_folder()):
            if folder is None:
                continue
            try:
                return _read(path, format, folder / name, digest), digest
            except _Changed:
                break
            except FileNotFoundError:
                # Somebody has removed the entry, whose file has changed since.
                break
            except PermissionError:
                continue
            except OSError as error:
                if error.errno not in (ENOSPC, EDQUOT) or folder == _own_folder():
                    raise
    raise DataError("the file is written to while it is read")


def _in_project(project: Path, location: str, name: str) -> Path | None:
    entries = Entries(project)
    try:
        entries.prepare()
        entries.refer(location, name)
    except OSError:
        return None
    return entries.folder


@cache
def _own_folder() -> Path:
    # Removed with the process.
    holder = tempfile.TemporaryDirectory(prefix="fts-rows-")
    _HOLDERS.append(holder)
    return Path(holder.name)


_HOLDERS: list[tempfile.TemporaryDirectory[str]] = []


def _read(path: Path, format: Format, entry: Path, digest: str) -> Rows:
    with suppress(FileNotFoundError):
        try:
            return arrow_file.read(entry)
        except (pyarrow.ArrowException, KeyError, ValueError):
            entry.unlink(missing_ok=True)  # It is damaged.
    temporary = arrow_file.temporary(entry.parent)
    try:
        with FileReader(path, format) as reader:
            arrow_file.write(reader, temporary)
            if reader.sha256() != digest:
                raise _Changed
        temporary.replace(entry)
    finally:
        temporary.unlink(missing_ok=True)
    return arrow_file.read(entry)
