"""Rows of export files: from a table, and back into one after a check.

The format is that of the studio in the field: `{table: {"schema": text, "data": [row]}}`. The
`schema` text is for readers; it is never executed.
"""

import json
import math
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from chassis import errors, rules
from chassis.convert import table_time
from chassis.records import Base, Records
from chassis.requests import MAX_TEXT_CHARACTERS

MAX_INT = 2**31 - 1
"""Messages and PostgreSQL take no larger whole number."""
MAX_SHOWN = 100
"""How much of a value a message shows."""
CHUNK_BYTES = 512 * 1024
"""How much of a table is sent at once."""
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")


class DomainTable:
    """One table of a domain, as exports and imports see it."""

    def __init__(self, records: Records[Any]) -> None:
        self.name: str = records.table.name
        self._records = records
        kept = ("seq", *records.kind.NOT_EXPORTED)
        self._columns = [c for c in records.table.columns if c.key not in kept]

    @property
    def schema(self) -> str:
        """The table's CREATE TABLE statement."""
        table = CreateTable(self._records.table, if_not_exists=True)
        return str(table.compile(dialect=sqlite.dialect())).strip()

    def export(self, connection: Connection) -> Iterator[str]:
        """All rows, oldest first: JSON objects separated by commas, in parts."""
        query = select(*self._columns).order_by(self._records.table.c.seq)
        part: list[str] = []
        size = 0
        for row in connection.execute(query).mappings():
            part.append(json.dumps({key: _plain(value) for key, value in row.items()}))
            size += len(part[-1])
            if size >= CHUNK_BYTES:
                yield ", ".join(part)
                part, size = [], 0
        if part:
            yield ", ".join(part)

    def check(self, place: str, row: Any, found: errors.Violations) -> Base | None:
        """The record that a row of a file makes; what is wrong with it is noted.

        Columns that the studio does not have are left out, those that the row does not have stay
        empty.
        """
        if not found.check(
            place, rules.EXPORT_FILE, isinstance(row, dict), "a row must be an object"
        ):
            return None
        identified = isinstance(row.get("id"), str) and bool(row["id"])
        found.check(f"{place}.id", rules.ROW_ID, identified, "must be a non-empty string")
        # By a longer one nothing could be asked for.
        length = len(row["id"]) if identified else 0
        description = f"has {length} characters; {MAX_TEXT_CHARACTERS} are allowed"
        found.check(f"{place}.id", rules.TEXT_LENGTH, length <= MAX_TEXT_CHARACTERS, description)
        values = self._values(place, row, found)
        self._records.kind.complete(place, values, found)
        missing = {c.key: None for c in self._columns if c.nullable and c.key not in values}
        return self._records.kind(**missing, **values) if identified else None

    def _values(self, place: str, row: Mapping[str, Any], found: errors.Violations) -> Any:
        values = {}
        for column in self._columns:
            given = row.get(column.key)
            if given is None:
                continue
            at = f"{place}.{column.key}"
            values[column.key] = _typed(at, given, column.type.python_type, found)
            if column.key in self._records.kind.LOCATIONS and isinstance(given, str):
                _check_location(at, given, found)
        return values

    def existing(self, connection: Connection) -> Mapping[str, Mapping[str, Any]]:
        """The rows that are there, as an export has them, by id."""
        rows = connection.execute(select(*self._columns)).mappings()
        return {row["id"]: {key: _plain(value) for key, value in row.items()} for row in rows}

    def same(self, row: Mapping[str, Any], record: Base, there: Mapping[str, Any]) -> bool:
        """Whether the row says nothing that differs from what is there."""
        return all(
            _plain(getattr(record, key)) == there[key] for key in there if row.get(key) is not None
        )

    def take(self, connection: Connection, records: list[Base]) -> None:
        """Inserts records."""
        self._records.insert(connection, records)

    def lock(self, connection: Connection) -> None:
        """Keeps others from writing until the transaction under way has ended."""
        self._records.lock(connection)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _check_location(place: str, location: str, found: errors.Violations) -> None:
    """A location is kept as it is, and confined when it is used; one that leaves the project
    directory by its own words is none."""
    path = PurePosixPath(location)
    leaves = ".." in path.parts
    description = f"{location!r} lies outside the project directory"
    found.check(place, rules.CONFINED, not leaves, description)


def _typed(place: str, value: Any, kind: type, found: errors.Violations) -> Any:
    """The value as the column takes it; noted as wrong if it cannot be stored and listed."""
    if kind is datetime:
        return _time(place, value, found)
    if kind is float and isinstance(value, int) and abs(value) <= sys.float_info.max:
        value = float(value)
    if kind is str and isinstance(value, int | float):
        value = str(value)
    rule = rules.COLUMN_VALUE
    description = f"must be {kind.__name__}, not {shortened(value)}"
    if not found.check(place, rule, isinstance(value, kind), description):
        return None
    if kind is int:
        value = int(value)  # a true or a false is one too
        found.check(
            place,
            rule,
            abs(value) <= MAX_INT,
            f"must be within +-{MAX_INT}, not {shortened(value)}",
        )
    elif kind is float:
        found.check(place, rule, math.isfinite(value), f"must be finite, not {value}")
    elif kind is str:
        found.check(place, rule, storable(value), "has a NUL or half a character in it")
    return value


def storable(text: str) -> bool:
    """Whether a text can be stored, and sent again."""
    return not _UNSTORABLE.search(text)


def shortened(value: Any) -> str:
    """What a message shows of a value."""
    text = repr(value) if not isinstance(value, int) or value.bit_length() < 1000 else "a huge one"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _time(place: str, value: Any, found: errors.Violations) -> datetime | None:
    try:
        return table_time(value)
    except (TypeError, ValueError):
        found.add(place, rules.COLUMN_VALUE, f"must be an ISO 8601 time, not {shortened(value)}")
        return None
