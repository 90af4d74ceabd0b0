"""Old requests are forgotten, on databases of both kinds."""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.rpc.domain_request import RequestKey
from chassis.rpc.errors import InvalidArgument
from chassis.store.engine import Store
from chassis.store.idempotency import EXPIRE_BATCH, IdempotencyStore
from chassis.store.records import now

MIGRATION = """
from chassis.store import idempotency

revision = "0002"
down_revision = "0001"


def upgrade():
    idempotency.create_table("{service}")
    idempotency.add_times("{service}")
"""


@pytest.fixture
def migrations(migrations: Path, service: str) -> Path:
    (migrations / "0002_requests.py").write_text(MIGRATION.format(service=service))
    return migrations


async def note(store: Store, times: dict[str, datetime | None]) -> None:
    """Notes requests of these ids at these times."""
    rows = [
        {"request_id": id, "digest": "d", "record_id": "r", "noted_at": at}
        for id, at in times.items()
    ]
    columns = [sa.column(name) for name in rows[0]]
    table = sa.table(f"{store.service}_requests", *columns)
    await store.write(lambda c: c.execute(sa.insert(table), rows))


def known(store: Store) -> set[str]:
    query = sa.text(f"SELECT request_id FROM {store.service}_requests")
    return store.read(lambda c: set(c.scalars(query)))


async def test_old_request_ids_alone_are_forgotten(store: Store) -> None:
    long_ago = now() - timedelta(days=31)
    many = {f"old-{n}": long_ago for n in range(2 * EXPIRE_BATCH + 1)}
    await note(store, many | {"young": now() - timedelta(days=29), "undated": None})
    await IdempotencyStore(store).expire(30)
    assert known(store) == {"young", "undated"}
    # One without a time, of an earlier version, counts as noted when it was first looked at.
    await IdempotencyStore(store).expire(1)
    assert known(store) == {"undated"}
    await IdempotencyStore(store).expire(0)
    assert known(store) == set()


async def test_request_id_is_saved_again_by_the_same_request_only(store: Store) -> None:
    requests = IdempotencyStore(store)
    key = RequestKey("id", "digest")
    for record in ("first", "second"):
        await store.write(partial(requests.save, key=key, record_id=record))
        assert store.read(lambda c: requests.find(c, key)) == record
    with pytest.raises(InvalidArgument, match="created 'second'"):
        await store.write(lambda c: requests.save(c, RequestKey("id", "other"), "third"))
    assert store.read(lambda c: requests.find(c, key)) == "second"


async def test_forgetting_begins_at_the_start(store: Store) -> None:
    await note(store, {"old": now() - timedelta(days=31)})
    forgetting = asyncio.create_task(IdempotencyStore(store).run(30))
    async with asyncio.timeout(120):
        while known(store):  # noqa: ASYNC110 - the condition is the database's
            await asyncio.sleep(0.01)
    assert not forgetting.done(), "it goes on"
    forgetting.cancel()
