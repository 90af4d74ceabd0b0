"""Rows of a table that meet conditions, in an order, without reading much more than these rows.

Three ways, the first that fits:

- An index has the order: rows are read along it. Conditions that it does not answer are checked on
  at most WINDOW_ROWS rows at a time, and the scan says where to go on.
- A condition on an indexed field leaves at most SORTED_ROWS rows, or the table has no more: these
  are read and sorted.
- Otherwise an order by one indexed field is read along its index, as in the first way; any other
  order is refused.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Select,
    Table,
    bindparam,
    false,
    func,
    select,
)

from chassis.rpc import rules
from chassis.rpc.errors import FailedPrecondition
from chassis.store.fields import SORTED_CHARACTERS, Field
from chassis.store.keyset import Keyset, Position
from chassis.store.statements import Fetch, RawRow, Statement

WINDOW_ROWS = 20_000
"""Most rows that are read for one page. A page with fewer rows than requested has a token."""
SORTED_ROWS = 20_000
"""Most rows that are sorted for one page."""
KEPT_STATEMENTS = 64
"""Forms of requests whose statements are kept for each list."""

Terms = tuple[tuple[str, bool], ...]
"""Fields of an order, each with whether it is descending."""
_TIED, _BEYOND = "tied", "beyond"
"""Parts of an index after a position: rows with the same value of the field, and all later ones."""
_START = -(2**31)
"""A number before that of the first row."""


@dataclass(frozen=True)
class Wanted:
    """The rows of a list that are wanted, and their order."""

    ranges: Mapping[str, tuple[Any, Any]]
    """Lowest and highest value by name of field."""
    terms: Terms = ()
    allowed: Mapping[str, Collection[Any]] = field(default_factory=dict)
    """Values by name of column; a row has one of them."""
    hidden: Collection[str] = ()
    """Ids of rows that are left out."""


@dataclass(frozen=True)
class _Shape:
    """All of a request that its statements depend on."""

    sought: str
    """The field whose index finds the rows; empty if there is none."""
    checked: tuple[str, ...]
    """Fields that are compared row by row."""
    allowed: tuple[tuple[str, int], ...]
    """Columns with one of so many values."""
    hidden: int
    """Number of ids that are left out."""
    terms: Terms

    @property
    def checks(self) -> bool:
        """True if rows have to be read that are perhaps not wanted."""
        return bool(self.checked or self.allowed or self.hidden)


class Scan:
    """A table that can be read by some of its fields; see the module.

    Rows have the values of `columns`, and then those of the order's keys.
    """

    def __init__(
        self, table: Table, columns: Sequence[Column[Any]], fields: Mapping[str, Field]
    ) -> None:
        self._table = table
        self._columns = columns
        self._fields = fields
        self._arrival = Field(table.c.seq, "")
        self.keyset = lru_cache(KEPT_STATEMENTS)(self._keyset)
        self.along = lru_cache(KEPT_STATEMENTS)(self._along)
        self.end = lru_cache(KEPT_STATEMENTS)(self._end)
        self.sorted = lru_cache(KEPT_STATEMENTS)(self._sorted)
        self._count = lru_cache(KEPT_STATEMENTS)(self._count_found)

    def _keyset(self, terms: Terms) -> Keyset:
        keys = [self._fields[name].sort_key(down) for name, down in terms]
        return Keyset([*keys, self._arrival.sort_key(False)])

    def plan(self, fetch: Fetch, wanted: Wanted) -> "Plan":
        """Returns how the rows are read. Raises FailedPrecondition for an order that is refused."""
        found = sorted(wanted.ranges, key=self._rank)
        sought = found[0] if found and self._fields[found[0]].indexed else ""
        values: dict[str, Any] = {}
        for name, (lowest, highest) in wanted.ranges.items():
            values |= {f"filter_{name}": lowest, f"filter_{name}_to": highest}
        checked = found
        if sought:
            checked = found[1:]
            if self._fields[sought].is_text:
                values[f"filter_{sought}_key"] = wanted.ranges[sought][0][:SORTED_CHARACTERS]
                if len(wanted.ranges[sought][0]) >= SORTED_CHARACTERS:
                    checked = found
        for name, some in wanted.allowed.items():
            values |= {f"allowed_{name}{number}": value for number, value in enumerate(some)}
        values |= {f"hidden{number}": id for number, id in enumerate(sorted(wanted.hidden))}
        allowed = tuple((name, len(some)) for name, some in wanted.allowed.items())
        shape = _Shape(sought, tuple(checked), allowed, len(wanted.hidden), wanted.terms)
        by_text = not sought or self._fields[sought].is_text
        by_one_index = len(wanted.terms) == 1 and self._fields[wanted.terms[0][0]].indexed
        if (not wanted.terms and by_text) or (by_one_index and not sought):
            return Plan(self, shape, values, is_sorted=False)
        [[count]] = fetch(self._count(sought), values)
        if count <= SORTED_ROWS:
            return Plan(self, shape, values, is_sorted=True)
        if by_one_index or not wanted.terms:
            along = _Shape("", tuple(found), allowed, len(wanted.hidden), wanted.terms)
            return Plan(self, along, values, is_sorted=False)
        raise self._too_many()

    def _rank(self, name: str) -> tuple[bool, bool, str]:
        """Sorts the fields of a filter by how well rows are found by them."""
        return not self._fields[name].indexed, not self._fields[name].is_text, name

    def _too_many(self) -> FailedPrecondition:
        indexed = ", ".join(sorted(name for name, one in self._fields.items() if one.indexed))
        return FailedPrecondition.at(
            "order_by",
            rules.ORDER_ROWS,
            f"would have to sort more than {SORTED_ROWS} rows; order by one of the fields with an "
            f"index ({indexed}) alone, or add a filter by one of them that leaves fewer rows",
            reason="ORDER_TOO_LARGE",
        )

    def _along(self, shape: _Shape, part: str) -> Statement:
        """Makes the statement that reads a part of an index."""
        keys = [key.expression for key in self.keyset(shape.terms).keys]
        size = bindparam("size", type_=Integer)
        if not shape.checks:
            return Statement(self._part(select(*self._columns, *keys), shape, part).limit(size))
        # Each column once: what is shown and what is compared.
        checked = [self._fields[name].column for name in shape.checked]
        names = [self._table.c[name] for name, _ in shape.allowed]
        needed = dict.fromkeys([*self._columns, *checked, *names, self._table.c.id])
        labels = [key.label(f"sort_key{number}") for number, key in enumerate(keys)]
        window = self._part(select(*needed, *labels), shape, part)
        read = window.limit(bindparam("window", type_=Integer)).subquery(self._table.name)
        rows = select(*[read.c[one.name] for one in (*self._columns, *labels)])
        # Without an order of its own: rows come as the window reads them.
        return Statement(rows.where(*self._checks(shape, read.c)).limit(size))

    def _end(self, shape: _Shape, part: str) -> Statement:
        """Makes the statement that finds the last row of a window, if it is full."""
        keys = [key.expression for key in self.keyset(shape.terms).keys]
        query = self._part(select(*keys), shape, part)
        return Statement(query.limit(1).offset(bindparam("window_end", type_=Integer)))

    def _part(self, query: Select[Any], shape: _Shape, part: str) -> Select[Any]:
        """Limits a query to a part of the index that has the order."""
        keyset = self.keyset(shape.terms)
        if shape.sought:
            query = query.where(self._fields[shape.sought].is_in_index(f"filter_{shape.sought}"))
        if not shape.terms:
            return query.where(keyset.after()).order_by(*keyset.order_by())
        field_key, arrival = keyset.keys
        if part == _TIED:
            same = query.where(field_key.equals("key0"), arrival.after("key1"))
            return same.order_by(arrival.sorted())
        if part == _BEYOND:
            query = query.where(field_key.after("key0"))
        return query.order_by(*keyset.order_by())

    def _sorted(self, shape: _Shape, is_first: bool) -> Statement:
        """Makes the statement that sorts the wanted rows, all or those after a position."""
        keyset = self.keyset(shape.terms)
        query = select(*self._columns, *[key.expression for key in keyset.keys])
        query = query.where(*self._checks(shape, self._table.c))
        if shape.sought:
            query = query.where(self._fields[shape.sought].is_in_index(f"filter_{shape.sought}"))
        if not is_first:
            query = query.where(keyset.after())
        return Statement(query.order_by(*keyset.order_by()).limit(bindparam("size", type_=Integer)))

    def _count_found(self, sought: str) -> Statement:
        found = select(self._table.c.seq)
        if sought:
            found = found.where(self._fields[sought].is_in_index(f"filter_{sought}"))
        return Statement(select(func.count()).select_from(found.limit(SORTED_ROWS + 1).subquery()))

    def _checks(self, shape: _Shape, columns: Any) -> list[ColumnElement[bool]]:
        of_filter = [self._fields[name] for name in shape.checked]
        checks = [
            one.shows(f"filter_{one.column.key}", columns[one.column.key]) for one in of_filter
        ]
        for name, count in shape.allowed:
            column = columns[name]
            values = [bindparam(f"allowed_{name}{n}", type_=column.type) for n in range(count)]
            checks.append(column.in_(values) if values else false())
        if shape.hidden:
            ids = [bindparam(f"hidden{n}", type_=columns.id.type) for n in range(shape.hidden)]
            checks.append(columns.id.not_in(ids))
        return checks


@dataclass(frozen=True)
class Plan:
    """Way in which the rows of one request are read."""

    scan: Scan
    shape: _Shape
    values: Mapping[str, Any]
    is_sorted: bool
    """True if each read sorts all rows, False if it goes along an index."""

    @property
    def has_windows(self) -> bool:
        """True if rows are read that are perhaps not wanted, so many at a time."""
        return self.shape.checks and not self.is_sorted

    def after(
        self, fetch: Fetch, position: Position | None, size: int, window: int
    ) -> tuple[list[RawRow], Position | None]:
        """Returns the next rows after a position, at most `size`, and the position to go on from.

        That is None if there is no further row. There may be fewer rows than `size`, or none, and
        still more of them behind. With windows, of so many rows, `fetch` must read a snapshot: the
        last row of a window is found by another statement than the wanted ones.
        """
        keyset = self.scan.keyset(self.shape.terms)
        found: list[RawRow] = []
        for part in self._parts(position):
            given = keyset.values(position if position is not None else [_START])
            values = {**self.values, **given, "window": window, "window_end": window - 1}
            values["size"] = size + 1 - len(found)
            if self.is_sorted:
                statement = self.scan.sorted(self.shape, position is None)
            else:
                statement = self.scan.along(self.shape, part)
            found += fetch(statement, values)
            if len(found) > size:
                return found[:size], keyset.position_of(found[size - 1])
            if self.has_windows:
                for end in fetch(self.scan.end(self.shape, part), values):
                    return found, keyset.position_of(end)
        return found, None

    def _parts(self, position: Position | None) -> Sequence[str]:
        if self.is_sorted or not self.shape.terms or position is None:
            return ("",)
        return (_TIED, _BEYOND)
