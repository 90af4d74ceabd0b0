"""Hashes of files, which of large ones are kept until the file changes."""

import hashlib
import json
from pathlib import Path
from typing import Any


def of_file(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_text(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


class HashCache:
    """Hashes of files by their names, kept in a file of their own: another attempt at a job does
    not read its base model's weights again."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._known = self._read()

    def of(self, path: Path) -> str:
        """SHA-256 of a file; as it was the last time if size and time of the file still are."""
        status = path.stat()
        now = [status.st_size, status.st_mtime_ns]
        known = self._known.get(path.name)
        if not (isinstance(known, list) and known[:2] == now and len(known) == 3):
            known = [*now, of_file(path)]
            self._known[path.name] = known
            self._kept.write_text(json.dumps(self._known))
        return str(known[2])

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self._kept.read_text())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}
