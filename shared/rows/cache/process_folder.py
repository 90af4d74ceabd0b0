"""Temporary folder of this process."""

import tempfile
from functools import cache
from pathlib import Path

_HOLDERS: list[tempfile.TemporaryDirectory[str]] = []


@cache
def process_folder() -> Path:
    """The folder, created at first use and removed when the process ends. Raises OSError."""
    holder = tempfile.TemporaryDirectory(prefix="fts-rows-")
    _HOLDERS.append(holder)
    return Path(holder.name)
