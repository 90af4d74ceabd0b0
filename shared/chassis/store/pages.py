"""Pages of a list request: its filter, its order and its page token.

See https://google.aip.dev/132 and https://google.aip.dev/158.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Generic

from sqlalchemy import ColumnElement, select

from chassis.rpc import rules
from chassis.rpc.errors import InvalidArgument, Violations
from chassis.rpc.requests import digest
from chassis.store.fields import Field
from chassis.store.keyset import BadToken, Keyset
from chassis.store.records import Records, Row

DEFAULT_PAGE_SIZE = 100
"""Rows of a page if the request has a token and no size."""
MAX_PAGE_SIZE = 1000
MAX_PAGE_CHARACTERS = 4 * 1024 * 1024
"""Characters of all texts in a page's rows, so that a page fits into a message."""
_DIRECTIONS = {(): False, ("asc",): False, ("desc",): True}
"""Whether an order is descending, by the words after the field."""


class Pages(Generic[Row]):
    """One table as a list with pages, which can be filtered and sorted by the named columns."""

    def __init__(self, records: Records[Row], names: Iterable[str]) -> None:
        collation = "BINARY" if records.store.is_sqlite else "C"
        columns = records.table.columns
        self._records = records
        self._fields = {name: Field(columns[name], collation) for name in names}
        self._arrival = Field(columns["seq"], collation)

    def page(
        self,
        request: Any,
        allowed: Mapping[str, Collection[Any]],
        hidden: Collection[str] = (),
    ) -> tuple[Sequence[Row], str]:
        """Returns the rows that a list request asks for, and the token of the next page; the token
        is empty if there is no further row.

        `allowed` narrows the list to rows whose columns have one of the given values; rows whose
        ids are in `hidden` are left out. Raises InvalidArgument.
        """
        found = Violations()
        size: int = request.page_size
        found.check("page_size", rules.PAGE_SIZE, size >= 0, f"must not be negative, but is {size}")
        conditions = self._conditions(request.filter, found)
        order = self._order(request.order_by, found)
        found.raise_if_any()
        query = select(self._records.table).where(*conditions, *self._records.among(allowed))
        if hidden:
            query = query.where(self._records.table.c.id.not_in(hidden))
        # The pages of one list with one filter and one order have the same mark.
        mark = digest(request, "page_size", "page_token")[:16]
        keyset = Keyset([field.sort_key(descending) for field, descending in order], mark)
        query = query.order_by(*keyset.order_by())
        token: str = request.page_token
        if not size and not token:
            return self._records.matching(query), ""
        if token:
            try:
                query = query.where(keyset.after(token))
            except BadToken as bad:
                fault = f"{token[:40]!r} {bad}"
                raise InvalidArgument.at("page_token", rules.PAGE_TOKEN, fault) from None
        size = min(size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
        rows = self._records.matching(query.limit(size + 1))
        page = _fitting(rows[:size])
        if len(page) == len(rows):
            return page, ""
        return page, keyset.token([field.sort_value(page[-1]) for field, _ in order])

    def _conditions(
        self, filter: Mapping[str, str], found: Violations
    ) -> list[ColumnElement[bool]]:
        unknown = sorted(set(filter) - set(self._fields))
        names = ", ".join(repr(name) for name in unknown)
        found.check("filter", rules.FILTER_FIELD, not unknown, self._no_field(names))
        conditions = []
        for name in sorted(set(filter) & set(self._fields)):
            field = self._fields[name]
            try:
                conditions.append(field.shows(filter[name]))
            except ValueError:
                description = f"must be {field.noun}, not {filter[name]!r}"
                found.add(f"filter[{name!r}]", rules.FILTER_FIELD, description)
        return conditions

    def _order(self, order_by: str, found: Violations) -> list[tuple[Field, bool]]:
        """Returns the fields to sort by, each with whether it is descending."""
        order: dict[str, tuple[Field, bool]] = {}
        for part in order_by.split(",") if order_by.strip() else ():
            name, *direction = part.split() or [""]
            if name not in self._fields:
                fault = self._no_field(repr(name))
            elif name in order:
                fault = f"names {name!r} twice"
            elif tuple(direction) not in _DIRECTIONS:
                fault = f"after a field only `asc` or `desc` may stand, not as in {part.strip()!r}"
            else:
                order[name] = (self._fields[name], _DIRECTIONS[tuple(direction)])
                continue
            found.add("order_by", rules.ORDER_FIELD, fault)
            break
        return [*order.values(), (self._arrival, False)]

    def _no_field(self, names: str) -> str:
        return f"the list has no field {names}; it has {', '.join(sorted(self._fields))}"


def _fitting(rows: Sequence[Row]) -> Sequence[Row]:
    """Returns the first rows, as many as their texts allow in one page, and at least one."""
    left = MAX_PAGE_CHARACTERS
    for number, row in enumerate(rows):
        left -= sum(len(value) for value in row.values().values() if isinstance(value, str))
        if left < 0 and number:
            return rows[:number]
    return rows
