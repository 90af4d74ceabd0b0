"""Folder of this process alone, which is removed with it."""

import tempfile
from functools import cache
from pathlib import Path

_HOLDERS: list[tempfile.TemporaryDirectory[str]] = []


@cache
def process_folder() -> Path:
    """The folder, which is made at first use. Raises OSError."""
    holder = tempfile.TemporaryDirectory(prefix="fts-rows-")
    _HOLDERS.append(holder)
    return Path(holder.name)
