"""Lists in one message: what is built again after a write, and in which steps."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg

from chassis.rpc import errors
from chassis.store import lists, whole
from chassis.store.forms import MessageForm
from chassis.store.lists import TableList
from chassis.store.records import Records
from chassis.store.statements import RawRow
from ft.proto.fine_tuning_studio_pb2 import (
    DatasetMetadata,
    ListDatasetsRequest,
    ListDatasetsResponse,
)

from .conftest import Thing, fill, many, thing

ALL = ListDatasetsRequest()


class CountingForm(MessageForm[DatasetMetadata]):
    """Counts the messages that it makes."""

    def __init__(self) -> None:
        super().__init__(DatasetMetadata, Thing.table())
        self.made = 0
        self.before: Callable[[], None] = lambda: None
        """Called before each message."""

    def message(self, row: Any) -> DatasetMetadata:
        self.before()
        self.made += 1
        return super().message(row)


@pytest.fixture
def form() -> CountingForm:
    """How things become messages."""
    return CountingForm()


@pytest.fixture
def listing(things: Records[Thing], form: CountingForm) -> TableList[Any]:
    """The list of things."""
    return TableList(things, ListDatasetsResponse, form)


async def names(listing: TableList[Any], request: ListDatasetsRequest = ALL) -> list[str]:
    listed = ListDatasetsResponse.FromString(await listing.answer(request))
    return [dataset.name for dataset in listed.datasets]


async def test_write_converts_its_row_only(
    things: Records[Thing], listing: TableList[Any], form: CountingForm
) -> None:
    rows = [thing(name=str(n)) for n in range(1200)]
    await fill(things, rows)
    assert await names(listing) == [str(n) for n in range(1200)]
    form.made = 0
    # Not by `change`, which sets the time of the change as well.
    table = Thing.table()
    await things.store.write(
        lambda c: c.execute(table.update().where(table.c.id == rows[7].id).values(name="new"))
    )
    assert (await names(listing))[6:9] == ["6", "new", "8"]
    assert form.made == 1
    await things.remove(id=rows[0].id)
    await things.add(thing(name="last"))
    assert await names(listing) == [
        "1",
        *map(str, range(2, 7)),
        "new",
        *map(str, range(8, 1200)),
        "last",
    ]
    assert form.made == 2


async def test_page_requested_again_converts_changed_rows_only(
    things: Records[Thing], listing: TableList[Any], form: CountingForm
) -> None:
    rows = [thing(name=str(n)) for n in range(5)]
    await fill(things, rows)
    page = ListDatasetsRequest(page_size=3)
    assert await names(listing, page) == ["0", "1", "2"]
    form.made = 0
    assert await names(listing, page) == ["0", "1", "2"]
    assert form.made == 0
    table = Thing.table()
    await things.store.write(
        lambda c: c.execute(table.update().where(table.c.id == rows[1].id).values(name="new"))
    )
    # In another order the rows are the same.
    turned = ListDatasetsRequest(page_size=3, order_by="created_at")
    assert await names(listing, turned) == ["0", "new", "2"]
    assert form.made == 1


def test_kept_items_are_bounded_in_number_and_size() -> None:
    made: list[RawRow] = []

    def item(row: RawRow) -> bytes:
        made.append(row)
        return b"x" * row[0]

    cache = lists.ItemCache(item, columns=2)
    rows = [(1, n, "position") for n in range(lists.KEPT_ITEMS + 1)]
    for row in rows:
        cache.item(row)
    large = (lists.KEPT_ITEM_BYTES + 1, 0, "position")
    for row in (rows[-1], (1, lists.KEPT_ITEMS, "elsewhere"), rows[0], large, large):
        assert len(cache.item(row)) == row[0]
    assert made[len(rows) :] == [rows[0], large, large]


@many
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "change", "remove"]),
            st.integers(0, 5),
            st.text("ab", max_size=2),
        ),
        max_size=8,
    )
)
async def test_list_is_that_of_the_table_after_any_writes(
    things: Records[Thing], listing: TableList[Any], writes: list[tuple[str, int, str]]
) -> None:
    for what, number, name in writes:
        present = things.all()
        if what == "add" or not present:
            await things.add(thing(name=name))
        elif what == "change":
            await things.change(present[number % len(present)].id, name=name)
        else:
            await things.remove(id=present[number % len(present)].id)
        expected = ListDatasetsResponse(
            datasets=[
                MessageForm(DatasetMetadata, Thing.table()).of_record(t) for t in things.all()
            ]
        )
        assert await listing.answer(ALL) == expected.SerializeToString()


async def test_callers_at_the_same_time_share_a_list(
    things: Records[Thing], listing: TableList[Any], form: CountingForm
) -> None:
    await fill(things, [thing(name=str(n)) for n in range(1000)])
    answers = await asyncio.gather(*(listing.answer(ALL) for _ in range(20)))
    assert all(answer == answers[0] for answer in answers)
    assert form.made == 1000


async def test_call_that_comes_during_a_build_has_writes_from_before_it(
    things: Records[Thing],
    listing: TableList[Any],
    form: CountingForm,
    service: str,
    database_url: str,
) -> None:
    await fill(things, [thing(name=str(n)) for n in range(1000)])
    schema = {} if things.store.is_sqlite else {"options": f"-csearch_path={service}"}
    other_process = create_engine(database_url, connect_args=schema)
    later: list[asyncio.Task[list[str]]] = []

    def write_and_call() -> None:
        if not later:
            with other_process.begin() as connection:
                things.insert(connection, [thing(name="later")])
            later.append(asyncio.create_task(names(listing)))

    form.before = write_and_call
    assert (await names(listing))[-1] == "999"
    assert (await later[0])[-1] == "later"
    other_process.dispose()


@pytest.mark.parametrize(
    "wanted",
    [ALL, ListDatasetsRequest(filter={"name": "x"}), ListDatasetsRequest(order_by="name,id")],
)
async def test_list_is_built_in_steps(
    things: Records[Thing], listing: TableList[Any], form: CountingForm, wanted: ListDatasetsRequest
) -> None:
    await fill(things, [thing(name="x") for _ in range(1050)])
    steps, building = [], asyncio.create_task(listing.answer(wanted))
    while not building.done():
        before = form.made
        await asyncio.sleep(0)
        steps.append(form.made - before)
    assert len(ListDatasetsResponse.FromString(await building).datasets) == form.made == 1050
    assert max(steps) <= whole.CONVERTED_ROWS


@pytest.mark.parametrize("wanted", [ALL, ListDatasetsRequest(order_by="name")])
async def test_list_that_does_not_fit_into_a_message_is_refused_before_it_is_built(
    things: Records[Thing],
    listing: TableList[Any],
    form: CountingForm,
    wanted: ListDatasetsRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await fill(things, [thing(name=str(n)) for n in range(100)])
    assert len(await names(listing, wanted)) == 100
    form.made = 0
    monkeypatch.setattr(whole, "MAX_MESSAGE_BYTES", 5000)
    await things.add(thing(name="one more"))
    for _ in range(2):
        with pytest.raises(
            errors.ResourceExhausted, match=r"ListDatasets has .* page by page"
        ) as refused:
            await listing.answer(wanted)
        assert refused.value.code_reason == "ANSWER_TOO_LARGE"
    assert form.made == 0
    monkeypatch.undo()
    await things.add(thing(name="again"))
    assert len(await names(listing, wanted)) == 102


async def test_rows_of_a_large_list_are_not_kept(
    things: Records[Thing],
    listing: TableList[Any],
    form: CountingForm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(whole, "KEPT_BYTES", 100)
    await fill(things, [thing(name=str(n)) for n in range(10)])
    await names(listing)
    await things.add(thing(name="one more"))
    assert len(await names(listing)) == 11
    assert form.made == 21


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_database_that_does_not_answer_is_named(
    things: Records[Thing], listing: TableList[Any]
) -> None:
    await things.add(thing(name="a"))
    await things.store.write(lambda c: c.execute(text("ALTER TABLE things RENAME TO gone")))
    for wanted in (
        ALL,
        ListDatasetsRequest(page_size=1),
        ListDatasetsRequest(filter={"name": "a"}),
    ):
        with pytest.raises(errors.Unavailable, match="'things' does not answer"):
            await listing.answer(wanted)


def test_statement_serves_databases_of_both_kinds() -> None:
    form = MessageForm(DatasetMetadata, Thing.table())
    for _ in range(2):
        assert form.by_id.bound(sqlite.dialect(), {"id": "1"})[1] == ("1",)
        sql, values = form.by_id.bound(psycopg.dialect(), {"id": "1"})
        assert (values, "%(id)s" in sql) == ({"id": "1"}, True)


def test_message_of_a_raw_row_is_that_of_its_record(form: CountingForm) -> None:
    one = thing(name="ü")
    raw: RawRow = (one.id, one.name, *(f"{one.created_at:%F %T.%f}" for _ in range(2)))
    columns = [column.name for column in form.columns]
    assert columns == ["id", "name", "created_at", "updated_at"]
    one.updated_at = one.created_at
    assert form.message(raw) == form.of_record(one)
