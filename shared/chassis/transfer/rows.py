"""Rows of export files, checked on their way into a table; see `chassis.transfer.document`."""

import math
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection, select, update

from chassis.rpc import errors, rules
from chassis.rpc.requests import MAX_TEXT_CHARACTERS
from chassis.store.convert import table_time
from chassis.store.records import TIMES, Record, Records, now
from chassis.transfer.document import CONTRACT_COLUMNS, printable

MAX_INT = 2**31 - 1
"""Largest whole number in messages and PostgreSQL columns."""
MAX_SHOWN = 100
"""Characters of a value that a message shows."""
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")


class DomainTable:
    """One table of a domain, as exports and imports see it.

    `owner` has the rows that those of this table are about, if there is one.
    """

    def __init__(self, records: Records[Any], owner: "DomainTable | None" = None) -> None:
        self.name: str = records.table.name
        self.kind: type[Record] = records.kind
        self.owner = owner
        self._records = records
        left_out = ("seq", *records.kind.NOT_EXPORTED)
        self._columns = [c for c in records.table.columns if c.key not in left_out]
        self.contract_columns = CONTRACT_COLUMNS.get(self.name, ())
        self._known = {c.key for c in records.table.columns}
        self.own_columns = [c.key for c in self._columns if c.key not in self.contract_columns]

    def owner_id(self, row: Any) -> str:
        """Returns the id of the owner's row that a row, or a record, belongs to."""
        name = self.kind.OWNER_ID
        return str(row[name] if isinstance(row, Mapping) else getattr(row, name))

    def unknown(self, row: Any) -> set[str]:
        """Returns the names of columns with a value that the table does not have."""
        if not isinstance(row, dict):
            return set()
        unknown = row.keys() - self._known
        return {printable(name) for name in unknown if row[name] is not None}

    def check(self, place: str, row: Any, found: errors.Violations) -> Record | None:
        """Returns the record for a row of a file; None, with violations, if it has no id.

        Unknown columns are left out; columns that the row does not have stay null.
        """
        if not found.check(
            place, rules.EXPORT_FILE, isinstance(row, dict), "a row must be an object"
        ):
            return None
        identified = isinstance(row.get("id"), str) and bool(row["id"])
        found.check(f"{place}.id", rules.ROW_ID, identified, "must be a non-empty string")
        # A request could not contain a longer id.
        length = len(row["id"]) if identified else 0
        description = f"has {length} characters; {MAX_TEXT_CHARACTERS} are allowed"
        found.check(f"{place}.id", rules.TEXT_LENGTH, length <= MAX_TEXT_CHARACTERS, description)
        values = {}
        for column in self._columns:
            if (given := row.get(column.key)) is None:
                continue
            at = f"{place}.{column.key}"
            values[column.key] = _typed(at, given, column.type.python_type, found)
            if column.key in self.kind.LOCATIONS and isinstance(given, str):
                # Locations are resolved when they are used; here only `..` is refused.
                confined = ".." not in PurePosixPath(given).parts
                description = f"{given!r} lies outside the project directory"
                found.check(at, rules.CONFINED, confined, description)
        self.kind.complete(place, values, found)
        missing = {c.key: c.nullable for c in self._columns if c.key not in ("id", *TIMES, *values)}
        for key in (key for key, nullable in missing.items() if not nullable):
            found.add(f"{place}.{key}", rules.COLUMN_VALUE, "must be set")
        content: dict[str, Any] = {**dict.fromkeys(missing), **values}
        return self.kind(**content) if identified else None

    def existing(self, connection: Connection) -> Mapping[str, Mapping[str, Any]]:
        """Returns the existing rows, as an export has them, by id."""
        rows = connection.execute(select(*self._columns)).mappings()
        return {row["id"]: {key: plain(value) for key, value in row.items()} for row in rows}

    def differing(
        self, row: Mapping[str, Any], record: Record, there: Mapping[str, Any]
    ) -> set[str]:
        """Returns the columns in which a row differs from the existing one.

        Columns that the studio changes by itself are not compared, and null columns only in rows
        that this studio has exported.
        """
        says = row.keys() if is_own(row) else {key for key in row if row[key] is not None}
        compared = there.keys() & says - self.kind.moving()
        return {key for key in compared if plain(getattr(record, key)) != there[key]}

    def has(self, connection: Connection, id: str) -> bool:
        """Tells whether a row with that id exists."""
        column = self._records.table.c.id
        return connection.scalar(select(column).where(column == id)) is not None

    def take(self, connection: Connection, rows: Iterable[tuple[Any, Record]]) -> None:
        """Inserts the records of rows of a file, and updates those that exist."""
        column = self._records.table.c.id
        # A row with an owner is imported with it, and is new.
        there = set[str]() if self.owner else set(connection.scalars(select(column)))
        adding = []
        for row, record in rows:
            if record.id in there:
                values = {
                    c.key: getattr(record, c.key)
                    for c in self._columns
                    if c.key in row and c.key not in self.kind.kept()
                }
                statement = update(self._records.table).where(column == record.id)
                connection.execute(statement.values(**values, updated_at=now()))
            else:
                adding.append(record)
        self._records.insert(connection, adding)

    def lock(self, connection: Connection) -> None:
        """Keeps others from writing until the current transaction ends."""
        self._records.lock(connection)


def is_own(row: Mapping[str, Any]) -> bool:
    """Tells whether a row has values that only exports of this studio have."""
    return "created_at" in row


def plain(value: Any) -> Any:
    """Returns a column's value as JSON has it."""
    return value.isoformat() if isinstance(value, datetime) else value


def _typed(place: str, value: Any, kind: type, found: errors.Violations) -> Any:
    """Returns the value as the column takes it; adds a violation if it cannot be stored."""
    if kind is datetime:
        try:
            return table_time(value)
        except (TypeError, ValueError):
            description = f"must be an ISO 8601 time, not {shortened(value)}"
            found.add(place, rules.COLUMN_VALUE, description)
            return None
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
        found.check(place, rule, storable(value), "has a NUL or half of a surrogate pair")
    return value


def storable(text: str) -> bool:
    """Tells whether a text can be stored and sent: it has no NUL and no lone surrogate."""
    return not _UNSTORABLE.search(text)


def shortened(value: Any) -> str:
    """Returns a value as a message shows it, shortened."""
    text = repr(value) if not isinstance(value, int) or value.bit_length() < 1000 else "a huge one"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
