"""Requests that add something and come with an id of their client's, so that they can be repeated.

What such a request has added is noted in the transaction that adds it: who does not get the answer
asks again, and gets it then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Generic, Protocol, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection, delete, insert, select, update

from chassis.rpc import rules
from chassis.rpc.errors import AlreadyExists, InvalidArgument, Refusal
from chassis.rpc.requests import digest
from chassis.store.engine import Store

log = structlog.get_logger()

Row = TypeVar("Row")
Row_co = TypeVar("Row_co", covariant=True)
Note = Callable[[Connection, str], None]

FORGOTTEN_EVERY = timedelta(days=1)
FORGOTTEN_AT_ONCE = 1000
"""Notes that one transaction deletes: others wait for it."""
_FIRST_COLUMNS = ("request_id", "digest", "record_id")


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A request by the id that its client gave it, and by what it asks for."""

    request_id: str
    """Empty for a request that came without one."""
    digest: str

    @classmethod
    def of(cls, request: Any) -> "RequestKey":
        """The key of a request that has the field `request_id`."""
        return cls(request.request_id, digest(request, "request_id"))


_current: ContextVar[RequestKey | None] = ContextVar("request_key", default=None)


class Kept(Protocol[Row_co]):
    """Records that can be looked up, see `chassis.store.records.Records`."""

    store: Store

    def one(self, **equal: object) -> Row_co | None:
        """The oldest record whose columns equal the given values."""


class Repeats(Generic[Row]):
    """Answers a request to add something that was served before with what it has added."""

    def __init__(self, records: Kept[Row]) -> None:
        self._records = records

    async def once(self, request: Any, add: Callable[[], Awaitable[Row]]) -> Row:
        """What `add` adds, or has added when the same request came before; a record that is gone
        meanwhile is added anew.

        Raises InvalidArgument if the id of the request came with another one.
        """
        key = RequestKey.of(request)
        if not key.request_id:
            return await add()
        with noted(key):
            try:
                return self.added(key) or await add()
            except AlreadyExists:
                # It may be the same request that was quicker.
                if (added := self.added(key)) is None:
                    raise
                return added

    def added(self, key: RequestKey) -> Row | None:
        """What the request has added, if it came before and that is there.

        Raises InvalidArgument if the id of the request came with another one.
        """
        if not key.request_id:
            return None
        store = self._records.store
        record_id = store.read(lambda c: _noted(c, store.service, key))
        return None if record_id is None else self._records.one(id=record_id)


@contextmanager
def noted(key: RequestKey) -> Iterator[None]:
    """Has what the block adds noted as what the request has added; for one without an id, not."""
    reset = _current.set(key)
    try:
        yield
    finally:
        _current.reset(reset)


def noting(service: str) -> Note:
    """What notes, within a transaction that is under way, the id of the record that the request
    being served has added; it raises InvalidArgument if the request's id came with another one.

    To be called where the request is served: transactions run in a thread of their own.
    """
    key = _current.get()

    def note(connection: Connection, record_id: str) -> None:
        if key is None or not key.request_id:
            return
        _noted(connection, service, key)
        table = _table(service)
        connection.execute(delete(table).where(table.c.request_id == key.request_id))
        values = {"request_id": key.request_id, "digest": key.digest, "record_id": record_id}
        connection.execute(insert(table).values(**values, noted_at=_now()))

    return note


class Forgetting:
    """Deletes notes that are too old for anyone to ask again, so that they do not grow for ever.
    `run` is work for the background."""

    def __init__(self, store: Store, days: float) -> None:
        self._store = store
        self._after = timedelta(days=days)

    async def run(self) -> None:
        """Forgets what is old, at once and then daily."""
        while True:
            try:
                await self.forget()
            except Refusal as refusal:
                log.warning("old requests are not forgotten", reason=refusal.message)
            await asyncio.sleep(FORGOTTEN_EVERY.total_seconds())

    async def forget(self) -> None:
        """Forgets what is old."""
        table = _table(self._store.service)
        undated = update(table).where(table.c.noted_at.is_(None)).values(noted_at=_now())
        # By a version of the service that noted no time, at the earliest when this one began.
        await self._store.write(lambda c: c.execute(undated))
        old = select(table.c.request_id).where(table.c.noted_at < _now() - self._after)
        some = delete(table).where(table.c.request_id.in_(old.limit(FORGOTTEN_AT_ONCE)))
        while await self._store.write(lambda c: c.execute(some).rowcount):
            pass


def create_table(service: str) -> None:
    """Creates the table of a service, in a migration; `add_times` in a later one completes it."""
    from alembic import op

    table = _table(service)
    first = [table.columns[name] for name in _FIRST_COLUMNS]
    op.create_table(
        table.name, *(sa.Column(c.name, c.type, primary_key=c.primary_key) for c in first)
    )


def add_times(service: str) -> None:
    """Adds to the table of a service when each request was noted, in a migration."""
    from alembic import op

    name = _table(service).name
    op.add_column(name, sa.Column("noted_at", sa.DateTime))
    op.create_index(f"ix_{name}_noted_at", name, ["noted_at"])


def _noted(connection: Connection, service: str, key: RequestKey) -> str | None:
    table = _table(service)
    row = connection.execute(select(table).filter_by(request_id=key.request_id)).first()
    if row is not None and row.digest != key.digest:
        raise InvalidArgument.at(
            "request_id",
            rules.SAME_REQUEST,
            f"{key.request_id!r} came with another request, which added {row.record_id!r}",
            reason="REQUEST_ID_REUSED",
        )
    return None if row is None else str(row.record_id)


@cache
def _table(service: str) -> sa.Table:
    """Its name carries the service's, since services may share a database file."""
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
