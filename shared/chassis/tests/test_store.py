"""What every store must keep to, on SQLite and on PostgreSQL."""

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text

from chassis.ids import new_id
from chassis.rpc import errors
from chassis.store.engine import Store
from chassis.store.lists import TableList
from chassis.store.migrate import version_table
from chassis.store.records import Records
from ft.proto.fine_tuning_studio_pb2 import ListDatasetsRequest, ListDatasetsResponse

from .conftest import Thing


def thing(name: str, id: str = "") -> Thing:
    return Thing(id=id or new_id(), name=name)


async def test_rows_are_listed_in_order_of_arrival(things: Records[Thing]) -> None:
    for name in ("b", "a", "c"):
        await things.add(thing(name))
    assert [t.name for t in things.all()] == ["b", "a", "c"]
    assert [t.name for t in things.all(name="a")] == ["a"]
    first = things.one()
    assert first is not None
    assert first.name == "b"


async def test_rows_are_changed_and_removed_by_value(things: Records[Thing]) -> None:
    await things.add(thing("a", id="1"))
    await things.add(thing("b", id="2"))
    await things.change("1", size=7)
    changed = things.one(id="1")
    assert changed is not None
    assert changed.size == 7
    assert changed.updated_at > changed.created_at
    await things.remove(name="a")
    await things.remove(name="a")
    assert [t.id for t in things.all()] == ["2"]


async def test_name_goes_to_one_of_many_writers(things: Records[Thing]) -> None:
    added = [things.add(thing("same"), unique={"name": "name"}) for _ in range(20)]
    outcomes = await asyncio.gather(*added, return_exceptions=True)
    assert [type(o) for o in outcomes].count(errors.AlreadyExists) == 19
    [holder] = things.all()
    refused = next(o for o in outcomes if isinstance(o, errors.AlreadyExists))
    assert refused.metadata == {"field": "name", "holder_id": holder.id, "rule": "FT-013"}


async def test_replicas_do_not_both_take_a_name(
    things: Records[Thing], service: str, database_url: str, migrations: Path
) -> None:
    replica = Store(service, database_url, migrations)
    await replica.open()
    tables = (things, Records(replica, Thing))
    added = [tables[n % 2].add(thing("same"), unique={"name": "name"}) for n in range(20)]
    outcomes = await asyncio.gather(*added, return_exceptions=True)
    await replica.close()
    assert [type(outcome) for outcome in outcomes].count(Thing) == 1
    assert len(things.all()) == 1


async def test_failed_write_leaves_the_others_of_its_commit(things: Records[Thing]) -> None:
    def broken(connection: Connection) -> None:
        things.insert(connection, [thing("half")])
        raise ZeroDivisionError

    outcomes = await asyncio.gather(
        things.add(thing("first")),
        things.store.write(broken),
        things.store.write(lambda c: c.execute(text("INSERT INTO things (id) VALUES (NULL)"))),
        things.add(thing("last")),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], Thing)
    assert isinstance(outcomes[3], Thing)
    assert isinstance(outcomes[1], ZeroDivisionError)
    assert isinstance(outcomes[2], Exception)
    assert [t.name for t in things.all()] == ["first", "last"]


async def test_failed_write_that_is_alone_leaves_nothing(things: Records[Thing]) -> None:
    def broken(connection: Connection) -> None:
        things.insert(connection, [thing("half")])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await things.store.write(broken)
    await things.add(thing("next"))
    assert [t.name for t in things.all()] == ["next"]


async def test_first_column_that_is_taken_is_refused(things: Records[Thing]) -> None:
    await things.add(thing("a", id="1"))
    await things.add(thing("b", id="2"))
    fields = {"id": "thing.id", "name": "thing.name"}
    for id, name, field, holder in (
        ("2", "a", "thing.id", "2"),
        ("3", "a", "thing.name", "1"),
        ("3", "b", "thing.name", "2"),
    ):
        with pytest.raises(errors.AlreadyExists) as refused:
            await things.add(thing(name, id=id), fields)
        assert refused.value.metadata == {"field": field, "holder_id": holder, "rule": "FT-013"}
        with pytest.raises(errors.AlreadyExists):
            things.require_free(fields, id=id, name=name)
    things.require_free(fields, id="3", name="c")


async def test_waiting_writes_share_a_commit(things: Records[Thing]) -> None:
    commits: list[Connection] = []
    count = commits.append
    event.listen(Engine, "commit", count)
    try:
        await asyncio.gather(*(things.add(thing("t")) for _ in range(50)))
    finally:
        event.remove(Engine, "commit", count)
    assert len(things.all()) == 50
    assert 1 <= len(commits) <= 2


async def test_write_is_completed_after_its_caller_has_left(
    things: Records[Thing],
) -> None:
    began, proceed = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        began.set()
        proceed.wait(10)
        things.insert(connection, [thing("kept")])

    waiting = asyncio.create_task(things.store.write(slow))
    await asyncio.to_thread(began.wait, 10)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    proceed.set()
    await things.add(thing("later"))
    assert [t.name for t in things.all()] == ["kept", "later"]


async def test_acknowledged_write_is_in_every_read_that_follows(
    things: Records[Thing], service: str, database_url: str, migrations: Path
) -> None:
    names = TableList(things, ListDatasetsResponse)
    replica = Store(service, database_url, migrations)
    await replica.open()
    others = Records(replica, Thing)
    for n in range(30):
        await (things, others)[n % 2].add(thing(str(n)))
        listed = ListDatasetsResponse.FromString(await names.answer(ListDatasetsRequest()))
        assert [d.name for d in listed.datasets] == [str(i) for i in range(n + 1)]
        assert await names.answer(ListDatasetsRequest()) == listed.SerializeToString()
    await replica.close()


async def test_written_rows_outlive_their_process(
    things: Records[Thing], service: str, database_url: str, migrations: Path
) -> None:
    await things.add(thing("a", id="1"))
    await things.store.close()
    again = Store(service, database_url, migrations)
    await again.open()
    [kept] = Records(again, Thing).all()
    assert (kept.id, kept.name) == ("1", "a")
    await again.close()


async def test_later_revision_is_applied_to_a_database_with_rows(
    things: Records[Thing], service: str, database_url: str, migrations: Path
) -> None:
    await things.add(thing("a"))
    (migrations / "0002_colour.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        "revision = '0002'\ndown_revision = '0001'\n"
        "def upgrade():\n    op.add_column('things', sa.Column('colour', sa.String))\n"
    )
    newer = Store(service, database_url, migrations)
    await newer.open()
    assert newer.read(lambda c: c.scalar(text("SELECT count(colour) FROM things"))) == 0
    # The process of the version before goes on meanwhile.
    await things.add(thing("b"))
    assert [t.name for t in things.all()] == ["a", "b"]
    await newer.close()


async def test_newer_database_is_left_as_it_is(
    things: Records[Thing], service: str, database_url: str, migrations: Path
) -> None:
    revisions = version_table(service)
    await things.store.write(lambda c: c.execute(text(f"UPDATE {revisions} SET version_num='9'")))
    older = Store(service, database_url, migrations)
    await older.open()
    assert older.read(lambda c: c.scalar(text(f"SELECT version_num FROM {revisions}"))) == "9"
    await older.close()


async def test_store_is_unhealthy_until_it_is_open(
    service: str, database_url: str, migrations: Path
) -> None:
    store = Store(service, database_url, migrations)
    assert not store.answers()
    with pytest.raises(errors.Unavailable, match=service):
        Records(store, Thing).all()
    with pytest.raises(errors.Unavailable, match=service):
        await Records(store, Thing).add(thing("a"))
    await store.open()
    assert store.answers()
    await store.close()


async def test_health_asks_the_database_only_when_no_call_has_shown_that_it_answers(
    things: Records[Thing], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        await things.add(thing("a"))
        asked.clear()
        assert things.store.answers()
        assert asked == []
        monkeypatch.setattr("chassis.store.engine.FRESH_SECONDS", 0.0)
        assert things.store.answers()
        assert len(asked) == 1
    finally:
        event.remove(Engine, "before_cursor_execute", count)


async def test_store_opens_once_the_database_can_be_reached(
    tmp_path: Path, migrations: Path
) -> None:
    in_the_way = tmp_path / "late.db"
    in_the_way.mkdir()
    store = Store("late", f"sqlite:///{in_the_way}", migrations)
    opening = asyncio.create_task(store.open())
    await asyncio.sleep(0)  # the first attempt
    assert not store.answers()
    in_the_way.rmdir()
    await asyncio.wait_for(opening, 10)
    assert store.answers()
    await store.close()


async def test_services_in_one_database_migrate_separately(
    tmp_path: Path, migrations: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "0001_else.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        "revision = '0001'\ndown_revision = None\n"
        "def upgrade():\n    op.create_table('others', sa.Column('id', sa.String))\n"
    )
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    for service, revisions in (("one", migrations), ("two", other)):
        store = Store(service, url, revisions)
        await store.open()
        await store.close()
    store = Store("two", url, other)
    await store.open()
    assert store.read(lambda c: c.scalar(text("SELECT count(*) FROM others"))) == 0
    await store.close()


@pytest.mark.parametrize("turn", [1, 2])
def test_database_belongs_to_one_test(postgres_url: str, turn: int) -> None:
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        # Fails where the other turn has left its table.
        connection.execute(text("CREATE TABLE mine (id integer)"))
    engine.dispose()
