"""Which of a service's processes reconciles."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.orm import Mapped

from chassis.ids import new_id
from chassis.records import Base, Records, now
from chassis.store import Store

SECONDS = 15.0
"""How long a process that died keeps the others waiting."""


class LeaseRecord(Base, kw_only=True):
    """One row: who has the lease, and until when (`updated_at` plus its length)."""

    __abstract__ = True

    holder: Mapped[str]


def columns() -> tuple[sa.Column[Any], ...]:
    """Columns of a lease's table, for migrations."""
    return (
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("holder", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
    )


class Lease:
    """A lease in the store, held by one process at a time and renewed by asking for it."""

    def __init__(self, store: Store, kind: type[LeaseRecord], seconds: float = SECONDS) -> None:
        self._records = Records(store, kind)
        self._holder = new_id()
        self._length = timedelta(seconds=seconds)

    async def held(self) -> bool:
        """Takes or renews the lease; whether this process has it now.

        A SQLite file is one process's own, which need not wait for itself after a restart.
        """
        if self._records.store.is_sqlite:
            return True
        table = self._records.table

        def work(connection: Connection) -> bool:
            self._records.lock(connection)
            row = connection.execute(select(table.c.holder, table.c.updated_at)).first()
            if row is None:
                first = self._records.kind(id="lease", holder=self._holder)
                connection.execute(insert(table), [first.values()])
                return True
            if row.holder != self._holder and now() - row.updated_at < self._length:
                return False
            connection.execute(update(table).values(holder=self._holder, updated_at=now()))
            return True

        return await self._records.store.write(work)
