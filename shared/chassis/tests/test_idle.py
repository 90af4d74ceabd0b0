"""Work in the background does nothing while nothing happens, on databases of both kinds."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from chassis.store.engine import Store
from chassis.store.records import Records
from chassis.transfer import importing
from chassis.transfer.importing import DomainImport
from chassis.transfer.rows import DomainTable
from chassis.transfer.staging import ImportState, Staging

from .conftest import Thing, thing

MIGRATION = """
from chassis.transfer import staging

revision = "0002"
down_revision = "0001"


def upgrade():
    staging.create_tables("{service}")
"""


@pytest.fixture
def migrations(migrations: Path, service: str) -> Path:
    (migrations / "0002_imports.py").write_text(MIGRATION.format(service=service))
    return migrations


@asynccontextmanager
async def running(domain: DomainImport) -> AsyncIterator[None]:
    task = asyncio.create_task(domain.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    while True:
        if condition():
            return
        await asyncio.sleep(0.01)


async def test_idle_domain_reads_once_until_an_import_is_staged(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "UNDER_WAY_SECONDS", 0.01)
    monkeypatch.setattr(importing, "IDLE_SECONDS", 3600.0)
    table = DomainTable(Records(store, Thing))
    domain = DomainImport(store, [table], resolve=None, grace=timedelta(seconds=0))
    staging, given_up = Staging(store), ImportState.GIVEN_UP
    statements: list[str] = []

    def count(_c: object, _k: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        async with running(domain), asyncio.timeout(60):
            await until(lambda: statements)
            await asyncio.sleep(0.2)  # twenty times the pause while an import is under way
            assert sum("_imports" in statement for statement in statements) == 1
            await domain.stage("an-import", "things", 0, [{"id": "a"}])
            # The check gives it up at once: nothing has happened to it for no time at all.
            await until(lambda: store.read(lambda c: staging.state(c, "an-import")) is given_up)
    finally:
        event.remove(Engine, "before_cursor_execute", count)


async def test_number_of_commits_says_whether_to_read_again(store: Store) -> None:
    things = Records(store, Thing)
    before = store.commits
    await things.add(thing(name="a"))
    if store.is_sqlite:
        assert before is not None
        assert store.commits == before + 1
    else:
        assert (before, store.commits) == (None, None)  # replicas may write as well


async def test_next_commit_ends_the_wait_for_it(store: Store) -> None:
    things = Records(store, Thing)
    waiting = asyncio.create_task(store.next_commit(3600.0))
    await asyncio.sleep(0)
    await things.add(thing(name="a"))
    async with asyncio.timeout(60):
        await waiting
        await store.next_commit(0.01)  # nothing is written: the time ends it
