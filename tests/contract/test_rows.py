"""Rows of export files, also of such as nobody would write."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chassis.rpc.errors import Violations
from chassis.store.engine import Store
from chassis.store.records import Records
from chassis.transfer.rows import DomainTable
from services.datasets.store import Dataset
from services.fine_tuning.store import FineTuningJob

VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec="utf-16", exclude_categories=[]), max_size=20)
    | st.sampled_from(["RUNNING", "../x", "a/../../b", "2026-01-01T00:00:00Z", "[]", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def table(kind: type[Any]) -> DomainTable:
    return DomainTable(Records(Store("none", "sqlite://", Path()), kind))


def rows_of(kind: type[Any]) -> "st.SearchStrategy[Any]":
    names = st.sampled_from([column.key for column in kind.table().columns] + ["unknown"])
    return st.dictionaries(names, VALUES, max_size=8) | VALUES


@given(rows_of(Dataset) | rows_of(FineTuningJob), st.sampled_from([Dataset, FineTuningJob]))
def test_row_becomes_a_record_or_is_refused_with_a_reason(row: Any, kind: type[Any]) -> None:
    found = Violations()
    record = table(kind).check("rows[0]", row, found)
    if found.found:
        assert all(v.field.startswith("rows[0]") and v.rule and v.description for v in found.found)
        return
    assert record is not None
    # What is taken can be stored as text and shown again.
    json.dumps({key: str(value) for key, value in record.values().items()}).encode()
    for key in kind.LOCATIONS:
        assert ".." not in str(getattr(record, key) or "").split("/")


@given(st.dictionaries(st.sampled_from(["name", "location", "features", "type"]), st.text()))
def test_existing_row_equals_itself(values: dict[str, str]) -> None:
    found = Violations()
    of = table(Dataset)
    row = {"id": "d", **values}
    record = of.check("rows[0]", row, found)
    if found.found:
        return
    assert record is not None
    there = {key: getattr(record, key) for key in ("id", "name", "location", "features", "type")}
    assert not of.differing(row, record, there)
    there["name"] = "this one"
    assert of.differing({**row, "name": "another"}, _named(of, row), there) == {"name"}


def _named(of: DomainTable, row: dict[str, str]) -> Any:
    return of.check("rows[0]", {**row, "name": "another"}, Violations())
