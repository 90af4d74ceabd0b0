"""Lease that selects which process of a service reconciles.

Clocks of different processes are never compared. The process that has the lease changes its row
again and again. Another process takes the lease only if it has seen the row unchanged for the
length of the lease.
"""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.orm import Mapped

from chassis.ids import new_id
from chassis.store.engine import Store
from chassis.store.records import Record, Records, now
from jobs.execution.sightings import Sightings

SECONDS = 15.0
"""Most seconds for which others wait for a dead process, counted from their first check."""


class LeaseRecord(Record, kw_only=True):
    """One row: the process that has the lease, and when it was renewed, which differs each time."""

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

    def __init__(
        self,
        store: Store,
        kind: type[LeaseRecord],
        seconds: float = SECONDS,
        sightings: Sightings | None = None,
    ) -> None:
        self._sightings = sightings or Sightings()
        self._records = Records(store, kind)
        self._holder = new_id()
        self._length = timedelta(seconds=seconds)

    async def held(self) -> bool:
        """Takes or renews the lease. Returns True if this process has it now.

        A SQLite file belongs to one process, which need not wait for itself after a restart.
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
            if row.holder != self._holder:
                renewed = (row.holder, row.updated_at)
                if self._sightings.unchanged("lease", renewed) < self._length:
                    return False
            time = now()
            if time == row.updated_at:
                time += timedelta(microseconds=1)  # others must see a change
            connection.execute(update(table).values(holder=self._holder, updated_at=time))
            return True

        return await self._records.store.write(work)

    async def release(self) -> None:
        """Releases the lease at once, if this process has it."""
        if self._records.store.is_sqlite:
            return
        table = self._records.table
        mine = delete(table).where(table.c.holder == self._holder)
        await self._records.store.write(lambda connection: connection.execute(mine))
