"""Hashes of files and texts, with a cache for large files."""

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
    """Hashes of files by their names, stored in a file, so that another attempt at a job need not
    read the weights of its base model again."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        try:
            content = json.loads(kept.read_text())
        except (OSError, ValueError):
            content = {}
        self._known: dict[str, Any] = content if isinstance(content, dict) else {}

    def of(self, path: Path) -> str:
        """SHA-256 of a file; the stored one if size and time of the file are unchanged."""
        status = path.stat()
        now = [status.st_size, status.st_mtime_ns]
        known = self._known.get(path.name)
        if not (isinstance(known, list) and known[:2] == now and len(known) == 3):
            known = [*now, of_file(path)]
            self._known[path.name] = known
            self._kept.write_text(json.dumps(self._known))
        return str(known[2])
