"""Ids of requests that add a record, kept so that a repeated request gets the same answer.

The id is stored in the transaction that adds the record. A client that does not get the answer
sends the request again, with the same id.

Requests that start jobs are not stored here: their ids are columns of the jobs' records (see
`jobs.lifecycle`), since a job that the workspace refuses gives the id up.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import cache

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from chassis.rpc.domain_request import RequestKey
from chassis.rpc.errors import Refusal
from chassis.store.engine import Store

log = structlog.get_logger()

EXPIRE_INTERVAL = timedelta(days=1)
EXPIRE_BATCH = 1000
"""Most rows that one transaction deletes: other writes wait for it."""
_FIRST_COLUMNS = ("request_id", "digest", "record_id")


class IdempotencyStore:
    """Keys of the requests that have added records of one service, with the records' ids."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._table = table = _table(store.service)
        self._find = select(table.c.digest, table.c.record_id).where(
            table.c.request_id == bindparam("request_id")
        )
        insert = (sqlite if store.is_sqlite else postgresql).insert(table)
        new = insert.excluded
        self._save = insert.on_conflict_do_update(
            index_elements=[table.c.request_id],
            set_={"record_id": new.record_id, "noted_at": new.noted_at},
            where=table.c.digest == new.digest,
        ).returning(table.c.record_id)

    def find(self, connection: Connection, key: RequestKey) -> str | None:
        """Returns the id of the record that the request has added; None if it is new.

        Raises InvalidArgument if another request has the same id.
        """
        if not key:
            return None
        row = connection.execute(self._find, {"request_id": key.request_id}).first()
        if row is None:
            return None
        key.require_same(row.digest, row.record_id)
        return str(row.record_id)

    def save(self, connection: Connection, key: RequestKey, record_id: str) -> None:
        """Stores the id of the record that the request has added, in place of an earlier one.

        Does nothing for a request without an id. Raises InvalidArgument if another request has the
        same id.
        """
        if not key:
            return
        values = {"request_id": key.request_id, "digest": key.digest, "record_id": record_id}
        if connection.scalar(self._save, {**values, "noted_at": _now()}) is None:
            self.find(connection, key)  # Raises: the row has another digest.

    async def expire(self, days: float) -> None:
        """Deletes keys that are older than so many days."""
        table = self._table
        # A key without a time is from an earlier version, and counts from when it is first seen.
        undated = update(table).where(table.c.noted_at.is_(None)).values(noted_at=_now())
        await self._store.write(lambda c: c.execute(undated))
        old = select(table.c.request_id).where(table.c.noted_at < _now() - timedelta(days=days))
        some = delete(table).where(table.c.request_id.in_(old.limit(EXPIRE_BATCH)))
        while await self._store.write(lambda c: c.execute(some).rowcount):
            pass

    async def run(self, days: float) -> None:
        """Deletes old keys at once, and then daily."""
        while True:
            try:
                await self.expire(days)
            except Refusal as refusal:
                log.warning("old request ids are not deleted", reason=refusal.message)
            await asyncio.sleep(EXPIRE_INTERVAL.total_seconds())


def create_table(service: str) -> None:
    """Creates the table of a service, in a migration; `add_times` in a later one completes it."""
    from alembic import op

    table = _table(service)
    first = [table.columns[name] for name in _FIRST_COLUMNS]
    op.create_table(
        table.name, *(sa.Column(c.name, c.type, primary_key=c.primary_key) for c in first)
    )


def add_times(service: str) -> None:
    """Adds the column with the time of each request to the table of a service, in a migration."""
    from alembic import op

    name = _table(service).name
    op.add_column(name, sa.Column("noted_at", sa.DateTime))
    op.create_index(f"ix_{name}_noted_at", name, ["noted_at"])


@cache
def _table(service: str) -> sa.Table:
    """The name contains the service's, since services may share a database file."""
    return sa.Table(
        f"{service}_requests",
        sa.MetaData(),
        sa.Column("request_id", sa.String, primary_key=True),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("record_id", sa.String, nullable=False),
        sa.Column("noted_at", sa.DateTime),
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
