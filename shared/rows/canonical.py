"""Canonical text of rows, the same for equal rows, and its hash."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from rows import values


def digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 over the rows in their order, a line of JSON with sorted keys each."""
    total = hashlib.sha256()
    for row in rows:
        total.update(line(row))
    return total.hexdigest()


def line(row: Mapping[str, Any]) -> bytes:
    """A line of JSON, the same for the same row whatever the order of its keys."""
    return values.to_canonical_json(row).encode() + b"\n"
