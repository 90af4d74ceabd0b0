"""Staged rows of an undecided import, stored in the domain's own database."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from chassis.rpc import errors
from chassis.store.engine import Store
from chassis.store.records import now
from chassis.transfer.rows import storable


class ImportState(StrEnum):
    """State of an import in one domain."""

    STAGED = "STAGED"
    """Rows are being received."""
    PREPARED = "PREPARED"
    """All rows are checked and can be committed."""
    COMMITTED = "COMMITTED"
    """Stored by the deciding domain, which the others ask."""
    GIVEN_UP = "GIVEN_UP"
    """The same for an import that will never be committed."""


_OPEN = (ImportState.STAGED.value, ImportState.PREPARED.value)


@dataclass(frozen=True, slots=True)
class StagedRow:
    """A row of the file, unchanged."""

    table: str
    place: int
    content: Any


class Staging:
    """The staging tables of one service. All methods work within the caller's transaction."""

    def __init__(self, store: Store) -> None:
        self._imports, self._rows = _tables(store.service)
        rows = self._rows.c
        self._reserved = select(rows.seq).where(rows.row_id == bindparam("row_id")).limit(1)

    def open(self, connection: Connection, import_id: str) -> None:
        """Begins an import, or continues it.

        Raises Aborted if another one is under way or this one was decided already.
        """
        imports = self._imports.c
        query = select(imports.id, imports.state).where(
            imports.state.in_(_OPEN) | (imports.id == import_id)
        )
        for row in connection.execute(query):
            if row.id != import_id:
                raise errors.Aborted("another import is under way", reason="IMPORT_UNDER_WAY")
            if row.state != ImportState.STAGED:
                raise errors.Aborted("the import was given up", reason="IMPORT_GIVEN_UP")
            self._touch(connection, import_id, ImportState.STAGED)
            return
        self._insert(connection, import_id, ImportState.STAGED)

    def add(
        self, connection: Connection, import_id: str, table: str, first: int, rows: Sequence[Any]
    ) -> None:
        """Stores rows of the file; `first` is the position of the first one."""
        if not rows:
            return
        staged = []
        for place, row in enumerate(rows, start=first):
            id = row.get("id") if isinstance(row, dict) else None
            staged.append(
                {
                    "import_id": import_id,
                    "table_name": table,
                    "place": place,
                    "row_id": id if isinstance(id, str) and storable(id) else None,
                    "content": json.dumps(row),
                }
            )
        connection.execute(insert(self._rows), staged)

    def rows(self, connection: Connection, import_id: str, table: str) -> Iterable[StagedRow]:
        """Yields the staged rows of one table, in the file's order."""
        rows = self._rows.c
        query = select(rows.place, rows.content).where(
            rows.import_id == import_id, rows.table_name == table
        )
        for row in connection.execute(query.order_by(rows.place)):
            yield StagedRow(table, row.place, json.loads(row.content))

    def keep_only(
        self, connection: Connection, import_id: str, taken: Mapping[str, set[int]]
    ) -> None:
        """Deletes all rows except those in `taken`, by table and position, and marks the import as
        prepared."""
        rows = self._rows.c
        query = select(rows.seq, rows.table_name, rows.place).where(rows.import_id == import_id)
        for row in connection.execute(query).all():
            if row.place not in taken.get(row.table_name, ()):
                connection.execute(delete(self._rows).where(rows.seq == row.seq))
        self._touch(connection, import_id, ImportState.PREPARED)

    def state(self, connection: Connection, import_id: str) -> ImportState | None:
        """Returns the state of an import; None if it is unknown."""
        imports = self._imports.c
        state = connection.scalar(select(imports.state).where(imports.id == import_id))
        return None if state is None else ImportState(state)

    def close(
        self, connection: Connection, import_id: str, decided: ImportState | None = None
    ) -> None:
        """Deletes an import's rows, and the import itself unless `decided` is to be stored."""
        connection.execute(delete(self._rows).where(self._rows.c.import_id == import_id))
        if decided is None:
            connection.execute(delete(self._imports).where(self._imports.c.id == import_id))
        elif self.state(connection, import_id) is None:
            self._insert(connection, import_id, decided)
        else:
            self._touch(connection, import_id, decided)

    def left(self, connection: Connection, untouched: timedelta) -> list[tuple[str, bool]]:
        """Returns the undecided imports, each with whether it had no activity for so long."""
        imports = self._imports.c
        rows = connection.execute(
            select(imports.id, imports.updated_at).where(imports.state.in_(_OPEN))
        )
        return [(row.id, now() - row.updated_at >= untouched) for row in rows]

    def reserves(self, connection: Connection, row_id: str) -> bool:
        """Tells whether a row of an import under way has that id."""
        return connection.scalar(self._reserved, {"row_id": row_id}) is not None

    def _insert(self, connection: Connection, import_id: str, state: ImportState) -> None:
        values = {"id": import_id, "state": state.value, "updated_at": now()}
        connection.execute(insert(self._imports), [values])

    def _touch(self, connection: Connection, import_id: str, state: ImportState) -> None:
        statement = update(self._imports).where(self._imports.c.id == import_id)
        connection.execute(statement.values(state=state.value, updated_at=now()))


def create_tables(service: str) -> None:
    """Creates the staging tables of a service, within a migration."""
    from alembic import op

    for table in _tables(service):
        op.create_table(
            table.name,
            *(
                sa.Column(
                    column.name,
                    column.type,
                    primary_key=column.primary_key,
                    nullable=column.nullable,
                    index=column.index,
                )
                for column in table.columns
            ),
        )


@cache
def _tables(service: str) -> tuple[sa.Table, sa.Table]:
    """Names carry the service's, since services may share a database file."""
    metadata = sa.MetaData()
    imports = sa.Table(
        f"{service}_imports",
        metadata,
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
    )
    rows = sa.Table(
        f"{service}_import_rows",
        metadata,
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("import_id", sa.String, nullable=False, index=True),
        sa.Column("table_name", sa.String, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("row_id", sa.String, index=True),
        sa.Column("content", sa.String, nullable=False),
    )
    return imports, rows
