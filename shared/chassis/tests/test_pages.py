"""Pages of a list, on SQLite and on PostgreSQL, while rows come and go."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, text

from chassis.rpc import errors, rules
from chassis.store import scan, whole
from chassis.store.convert import rfc3339
from chassis.store.engine import Store
from chassis.store.fields import SORTED_CHARACTERS
from chassis.store.lists import TableList
from chassis.store.pages import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from chassis.store.records import Records
from chassis.store.statements import RawRow, Statement
from ft.proto.fine_tuning_studio_pb2 import (
    ListDatasetsRequest,
    ListDatasetsResponse,
)

from .conftest import FIELDS, Thing, ThingPages, fill, many, refusal, thing

BEGAN = datetime(2026, 1, 2, 3, 4, 5)
# Bytes, UTF-16 and the orders of languages disagree about these.
NAMES = ("", "a", "A", "b", "B", "a b", "ab", "é", "z", "\uffff", "\U0001d54f", "x" * 300)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from((None, *NAMES))
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3),
    "size": st.sampled_from((None, 0, 1, -1, 2**31 - 1, -(2**31))),
    "weight": st.sampled_from((None, 0.0, -0.0, 0.1, 0.9, 2e-4, -1e300, 1e300, 5e-324)),
    "created_at": st.sampled_from((0, 1, 999, 1000, 10**6)).map(
        lambda microseconds: BEGAN + timedelta(microseconds=microseconds)
    ),
}
some_things = st.lists(
    st.builds(Thing, id=st.uuids().map(str), **{name: VALUES[name] for name in FIELDS}), max_size=12
)
terms = st.lists(
    st.tuples(st.sampled_from(FIELDS), st.booleans()), max_size=3, unique_by=lambda term: term[0]
)
wanted = st.none() | st.sampled_from(FIELDS).flatmap(
    lambda name: st.tuples(st.just(name), VALUES[name])
)


@dataclass
class Step:
    """One page, and what happens before the next."""

    size: int = 3
    added: list[Thing] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)


steps = st.lists(
    st.builds(
        Step,
        size=st.integers(1, 6),
        added=some_things.map(lambda some: some[:3]),
        removed=st.lists(st.integers(0, 20), max_size=3),
    ),
    max_size=4,
)


def shown(name: str, value: Any) -> Any:
    """The value as a message shows it."""
    if name == "created_at":
        return rfc3339(value)
    return value or {"name": "", "size": 0, "weight": 0.0}[name]


def place(name: str, value: Any) -> Any:
    """What decides where an order has it."""
    if name == "created_at":
        return value
    return shown(name, value)[:SORTED_CHARACTERS].encode() if name == "name" else shown(name, value)


@dataclass
class Asked:
    """A filter and an order, and what they mean."""

    terms: list[tuple[str, bool]]
    wanted: tuple[str, Any] | None

    def request(self, **page: Any) -> ListDatasetsRequest:
        order = ",".join(f" {name}  {'desc' if down else 'asc'} " for name, down in self.terms)
        filter = {self.wanted[0]: str(shown(*self.wanted))} if self.wanted else {}
        return ListDatasetsRequest(order_by=order, filter=filter, **page)

    def expected(self, things: Sequence[Thing]) -> list[Thing]:
        """Those of the things, oldest first, that belong in the list, in its order."""
        found = [thing for thing in things if self._wants(thing)]
        for name, down in reversed(self.terms):
            found.sort(key=lambda t, name=name: place(name, getattr(t, name)), reverse=down)
        return found

    def _wants(self, thing: Thing) -> bool:
        if self.wanted is None:
            return True
        name, value = self.wanted
        return bool(shown(name, getattr(thing, name)) == shown(name, value))


asked = st.builds(Asked, terms=terms, wanted=wanted)


def ids(things: Sequence[Thing]) -> list[str]:
    return [thing.id for thing in things]


@many
@given(rows=some_things, asked=asked, steps=steps)
async def test_rows_that_stay_are_listed_once_and_in_order(
    things: Records[Thing],
    pages: ThingPages,
    rows: list[Thing],
    asked: Asked,
    steps: list[Step],
) -> None:
    await things.remove()
    await fill(things, rows)
    assert ids(await pages.whole(asked.request())) == ids(asked.expected(rows))
    ever, present, seen, token = list(rows), list(rows), [], ""
    for step in [*steps, *[Step()] * 20]:
        page, token = pages.page(asked.request(page_size=step.size, page_token=token))
        assert len(page) <= step.size
        there = ids(asked.expected(present))
        assert bool(token) == bool(page and page[-1].id != there[-1])
        seen += page
        if not token:
            break
        removed = [present[n] for n in step.removed if n < len(present)]
        for one in removed:
            await things.remove(id=one.id)
        await fill(things, step.added)
        present = [one for one in present if one not in removed] + step.added
        ever += step.added
    assert not token
    assert len(set(ids(seen))) == len(seen)
    stayed = ids([one for one in asked.expected(rows) if one in present])
    assert [id for id in ids(seen) if id in stayed] == stayed
    assert ids(asked.expected([one for one in ever if one.id in ids(seen)])) == ids(seen)


@many
@given(rows=some_things, asked=asked, size=st.integers(1, 6), more=st.booleans())
async def test_windows_have_the_rows_of_the_list(
    things: Records[Thing],
    pages: ThingPages,
    rows: list[Thing],
    asked: Asked,
    size: int,
    more: bool,
) -> None:
    await things.remove()
    await fill(things, rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "WINDOW_ROWS", 3)
        patch.setattr(scan, "SORTED_ROWS", 3)
        patch.setattr(whole, "READ_WINDOW_ROWS", 2)
        patch.setattr(whole, "READ_ROWS", 1)
        small = ThingPages(things, FIELDS)
        allowed = {"size": [None, 0, 1]} if more else {}
        wants = [one for one in asked.expected(rows) if not more or one.size in (0, 1)]
        found: list[Thing] = []
        token = ""
        try:
            while token or not found:
                page, token = small.page(asked.request(page_size=size, page_token=token), allowed)
                found += page
                if not token:
                    break
            assert ids(found) == ids(wants)
            assert ids(await small.whole(asked.request(), allowed)) == ids(wants)
        except errors.FailedPrecondition:
            assert len(rows) > 3
            assert [name for name, _ in asked.terms] not in (["name"], ["created_at"], [])


@pytest.mark.parametrize("order", ["", "name"])
async def test_row_that_goes_during_a_request_hides_no_other(
    things: Records[Thing],
    order: str,
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    service: str,
) -> None:
    monkeypatch.setattr(scan, "WINDOW_ROWS", 3)
    rows = [thing(name=str(n), size=int(n == 3)) for n in range(6)]
    await fill(things, rows)
    schema = {} if things.store.is_sqlite else {"options": f"-csearch_path={service}"}
    other_process = create_engine(database_url, connect_args=schema)
    bound, calls = Statement.bound, 0

    def remove_before_the_second(statement: Statement, *given: Any) -> tuple[str, Any]:
        nonlocal calls
        calls += 1
        if calls == 2:
            with other_process.begin() as other:
                other.execute(text("DELETE FROM things WHERE name = '0'"))
        return bound(statement, *given)

    monkeypatch.setattr(Statement, "bound", remove_before_the_second)
    pages, token, found = ThingPages(things, FIELDS), "", []
    for _ in range(3):
        request = ListDatasetsRequest(
            filter={"size": "1"}, order_by=order, page_size=2, page_token=token
        )
        page, token = pages.page(request)
        found += page
        if not token:
            break
    assert ids(found) == [rows[3].id]
    assert calls > 2
    other_process.dispose()


async def test_page_has_the_requested_size_within_limits(
    things: Records[Thing], pages: ThingPages
) -> None:
    await fill(things, [thing(size=n) for n in range(MAX_PAGE_SIZE + 150)])
    page, token = pages.page(ListDatasetsRequest(page_size=2**31 - 1))
    assert [one.size for one in page] == list(range(MAX_PAGE_SIZE))
    page, token = pages.page(ListDatasetsRequest(page_token=token))
    assert [one.size for one in page][::99] == [MAX_PAGE_SIZE, MAX_PAGE_SIZE + 99]
    assert len(page) == DEFAULT_PAGE_SIZE
    page, token = pages.page(ListDatasetsRequest(page_size=50, page_token=token))
    assert (len(page), token) == (50, "")
    whole = await pages.whole(ListDatasetsRequest(filter={"name": ""}))
    assert [one.size for one in whole] == list(range(MAX_PAGE_SIZE + 150))
    violation = refusal(pages, page_size=-1)
    assert (violation.field, violation.rule) == ("page_size", rules.PAGE_SIZE.id)


async def test_filter_compares_values_as_messages_show_them(
    things: Records[Thing], pages: ThingPages
) -> None:
    rows = [thing(name="a", weight=0.1), thing(weight=0.1 + 3e-9), thing(name="", weight=0.1001)]
    await fill(things, rows)
    single = struct.unpack("f", struct.pack("f", 0.1))[0]
    for filter, found in (
        ({"weight": "0.1"}, rows[:2]),
        ({"weight": str(single)}, rows[:2]),
        ({"name": ""}, rows[1:]),
        ({"name": "", "weight": "0.1"}, rows[1:2]),
        ({"size": "0"}, rows),
        ({"created_at": rfc3339(rows[0].created_at)[:-1] + "+00:00", "name": "a"}, rows[:1]),
    ):
        assert ids(await pages.whole(ListDatasetsRequest(filter=filter))) == ids(found), filter
    assert pages.page(ListDatasetsRequest(filter={"size": "0"}), {"name": []})[0] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("size", value) for value in ("", "x", "1.5", str(2**31), "9" * 5000)),
        *(("weight", value) for value in ("", "x", "nan", "-inf", "1e999")),
        *(("created_at", value) for value in ("", "now", "0001-01-01T00:00:00+14:00")),
        ("name", "a\0b"),
    ],
)
def test_impossible_filter_value_is_refused(pages: ThingPages, name: str, value: str) -> None:
    violation = refusal(pages, filter={name: value})
    assert (violation.field, violation.rule) == (f"filter[{name!r}]", rules.FILTER_FIELD.id)
    assert repr(value) in violation.description


@pytest.mark.parametrize("name", ["", "id", "seq", "updated_at", "NAME", "name or 1=1"])
def test_unknown_field_is_refused(pages: ThingPages, name: str) -> None:
    violation = refusal(pages, filter={name: "x"})
    assert (violation.field, violation.rule) == ("filter", rules.FILTER_FIELD.id)
    assert f"no field {name!r}; it has created_at, name, size, weight" in violation.description


@pytest.mark.parametrize(
    "order",
    [
        *("id", "NAME", "name; desc", "name,", ",", ",name", "name up", "name DESC", "name size"),
        *("desc", "name asc desc", "name, size, name desc", "name,\0"),
        ",".join(["name"] * 10_000),
    ],
)
def test_malformed_order_is_refused(pages: ThingPages, order: str) -> None:
    violation = refusal(pages, order_by=order)
    assert (violation.field, violation.rule) == ("order_by", rules.ORDER_FIELD.id)


def test_texts_are_compared_by_their_bytes(things: Records[Thing], pages: ThingPages) -> None:
    # Servers may be set up for any language, but the one of these tests knows none.
    collation = "BINARY" if things.store.is_sqlite else "C"
    statements: list[str] = []

    def fetch(statement: Statement, values: Mapping[str, Any]) -> list[RawRow]:
        with things.store.frozen() as connection:
            statements.append(statement.bound(connection.dialect, values)[0])
        return []

    wanted = pages.wanted(ListDatasetsRequest(order_by="name desc"))
    pages.pages.plan(fetch, wanted).after(fetch, None, 1, 1)
    assert f'COLLATE "{collation}" DESC' in statements[-1]


@pytest.mark.starts_processes
async def test_page_is_read_from_an_index_on_postgresql(
    service: str, postgres_url: str, migrations: Path
) -> None:
    store = Store(service, postgres_url, migrations)
    await store.open()
    things = Records(store, Thing)
    await fill(things, [thing(name=f"n{n % 3}") for n in range(3000)])
    await store.write(lambda c: c.execute(text("ANALYZE things")))
    pages, plans = ThingPages(things, FIELDS), []

    def explain(statement: Statement, values: Mapping[str, Any]) -> list[RawRow]:
        def work(connection: Connection) -> list[RawRow]:
            sql, bound = statement.bound(connection.dialect, values)
            rows = connection.exec_driver_sql(f"EXPLAIN {sql}", bound)
            plans.append("\n".join(row[0] for row in rows))
            return statement.rows(connection, values)

        return store.read(work)

    for asked in (
        *({"order_by": order} for order in ("name", "name desc", "created_at desc")),
        {"filter": {"name": "n1"}},
    ):
        plan = pages.pages.plan(explain, pages.wanted(ListDatasetsRequest(**asked)))
        plans.clear()
        rows, position = plan.after(explain, None, 5, 100)
        rows, position = plan.after(explain, position, 5, 100)
        assert len(rows) == 5
        for steps in plans:
            assert "Index" in steps, steps
            assert "Sort" not in steps, steps
            assert "Seq Scan" not in steps, steps
    await store.close()


async def test_request_for_all_rows_is_answered_from_cached_bytes(
    things: Records[Thing],
) -> None:
    listing = TableList(things, ListDatasetsResponse)
    for name in ("b", "a"):
        await things.add(thing(name=name))
        everything = await listing.answer(ListDatasetsRequest())
        again = await listing.answer(ListDatasetsRequest())
        assert again is everything if things.store.is_sqlite else again == everything
    listed = ListDatasetsResponse.FromString(everything)
    assert [dataset.name for dataset in listed.datasets] == ["b", "a"]
    assert await listing.answer(ListDatasetsRequest(order_by="name desc")) == everything
    data = await listing.answer(ListDatasetsRequest(page_size=1))
    first = ListDatasetsResponse.FromString(data)
    assert first.next_page_token
    assert list(first.datasets) == list(listed.datasets[:1])
