"""Rows as a text that is the same for the same rows, and its hash."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any


def digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 over the rows in their order, a line of JSON with sorted keys each."""
    total = hashlib.sha256()
    for row in rows:
        total.update(line(row))
    return total.hexdigest()


def line(row: Mapping[str, Any]) -> bytes:
    """A line of JSON, the same for the same row whatever the order of its keys."""
    # What JSON has no word for, such as a time, is there as Python writes it.
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), default=str)
    return text.encode() + b"\n"
