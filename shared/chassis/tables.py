"""A domain's part of ExportDatabase and ImportDatabase.

The format is that of the studio in the field: `{table: {"schema": text, "data": [row]}}`. The
`schema` text is for readers; it is never executed.
"""

import json
import math
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from chassis import errors, rules
from chassis.records import Base, Records
from chassis.store import Store
from ft.proto.tables_pb2 import (
    ExportTablesRequest,
    ExportTablesResponse,
    ImportTablesRequest,
    ImportTablesResponse,
)

MAX_INT = 2**31 - 1
"""Messages and PostgreSQL take no larger whole number."""
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")


class TablesServicer:
    """Answers about the tables of one domain."""

    def __init__(self, store: Store, *kinds: type[Base]) -> None:
        self._tables = [_DomainTable(Records(store, kind)) for kind in kinds]
        self._store = store

    async def ExportTables(self, request: ExportTablesRequest) -> ExportTablesResponse:
        """All rows of the domain's tables."""
        exported = self._store.read(
            lambda c: {table.name: table.export(c) for table in self._tables}
        )
        return ExportTablesResponse(tables_json=json.dumps(exported))

    async def ImportTables(self, request: ImportTablesRequest) -> ImportTablesResponse:
        """Takes in rows that are not there yet; refuses all if one cannot be taken."""
        content = json.loads(request.tables_json)
        found = errors.Violations()
        planned = [(t, t.check(content.get(t.name) or {}, found)) for t in self._tables]
        found.raise_if_any()

        def work(connection: Connection) -> None:
            for table, records in planned:
                table.take(connection, records)

        if not request.validate_only:
            await self._store.write(work)
        return ImportTablesResponse()


class _DomainTable:
    def __init__(self, records: Records[Any]) -> None:
        self.name = records.table.name
        self._records = records
        self._columns = [c for c in records.table.columns if c.key != "seq"]

    def export(self, connection: Connection) -> dict[str, Any]:
        table = self._records.table
        schema = str(CreateTable(table, if_not_exists=True).compile(dialect=sqlite.dialect()))
        rows = connection.execute(select(*self._columns).order_by(table.c.seq)).mappings()
        data = [{key: _plain(value) for key, value in row.items()} for row in rows]
        return {"schema": schema.strip(), "data": data}

    def check(self, content: Any, found: errors.Violations) -> list[Base]:
        rows = content.get("data", []) if isinstance(content, dict) else None
        if not isinstance(rows, list):
            found.add(
                self.name, rules.EXPORT_FILE, "must be an object whose `data` is a list of rows"
            )
            return []
        records = [self._record(f"{self.name}[{n}]", row, found) for n, row in enumerate(rows)]
        places: dict[str, int] = {}
        for number, record in enumerate(records):
            if record is not None:
                first = places.setdefault(record.id, number)
                taken = f"{record.id!r} is the id of {self.name}[{first}] already"
                found.check(f"{self.name}[{number}].id", rules.ROW_ID, first == number, taken)
        return records

    def _record(self, place: str, row: Any, found: errors.Violations) -> Any:
        if not found.check(
            place, rules.EXPORT_FILE, isinstance(row, dict), "a row must be an object"
        ):
            return None
        identified = isinstance(row.get("id"), str) and bool(row["id"])
        found.check(f"{place}.id", rules.ROW_ID, identified, "must be a non-empty string")
        values = {}
        for column in self._columns:
            if column.key in row and row[column.key] is not None:
                values[column.key] = _typed(
                    f"{place}.{column.key}", row[column.key], column.type.python_type, found
                )
        self._records.kind.complete(place, values, found)
        missing = {c.key: None for c in self._columns if c.nullable and c.key not in values}
        return self._records.kind(**missing, **values) if identified else None

    def take(self, connection: Connection, records: Sequence[Any]) -> None:
        # All ids, since a statement takes fewer parameters than a file may have rows.
        known = set(connection.scalars(select(self._records.table.c.id)))
        self._records.insert(connection, [r for r in records if r.id not in known])


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _typed(place: str, value: Any, kind: type, found: errors.Violations) -> Any:
    """The value as the column takes it; noted as wrong if it cannot be stored and listed."""
    if kind is datetime:
        return _time(place, value, found)
    if kind is float and isinstance(value, int) and abs(value) <= sys.float_info.max:
        value = float(value)
    if kind is str and isinstance(value, int | float):
        value = str(value)
    rule = rules.COLUMN_VALUE
    if not found.check(
        place, rule, isinstance(value, kind), f"must be {kind.__name__}, not {value!r}"
    ):
        return None
    if kind is int:
        value = int(value)  # a true or a false is one too
        found.check(place, rule, abs(value) <= MAX_INT, f"must be within +-{MAX_INT}, not {value}")
    elif kind is float:
        found.check(place, rule, math.isfinite(value), f"must be finite, not {value}")
    elif kind is str:
        found.check(
            place, rule, not _UNSTORABLE.search(value), "has a NUL or half a character in it"
        )
    return value


def _time(place: str, value: Any, found: errors.Violations) -> datetime | None:
    try:
        time = datetime.fromisoformat(value)
        # Tables keep UTC without saying so.
        return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except (TypeError, ValueError, OverflowError):
        found.add(place, rules.COLUMN_VALUE, f"must be an ISO 8601 time, not {value!r}")
        return None
