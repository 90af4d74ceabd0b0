"""Rows as a text that is the same for the same rows, and its hash."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any


def digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 over the rows in their order, a line of JSON with sorted keys each."""
    total = hashlib.sha256()
    for row in rows:
        # What JSON has no word for, such as a time, is there as Python writes it.
        line = json.dumps(row, sort_keys=True, separators=(",", ":"), default=str)
        total.update(line.encode() + b"\n")
    return total.hexdigest()
