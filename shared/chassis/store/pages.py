"""Pages of a list request: its filter, its order and its page token.

See https://google.aip.dev/132 and https://google.aip.dev/158.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column

from chassis.rpc import rules
from chassis.rpc.errors import InvalidArgument, Violations
from chassis.rpc.requests import digest
from chassis.store import scan
from chassis.store.fields import Field
from chassis.store.keyset import BadToken
from chassis.store.records import Records
from chassis.store.scan import Plan, Scan, Terms, Wanted
from chassis.store.statements import Fetch, RawRow, fetch_on

DEFAULT_PAGE_SIZE = 100
"""Rows of a page if the request has a token and no size."""
MAX_PAGE_SIZE = 1000
MAX_PAGE_BYTES = 4 * 1024 * 1024
"""Bytes of a page with more than one row."""
_DIRECTIONS = {(): False, ("asc",): False, ("desc",): True}
"""Whether an order is descending, by the words after the field."""


class Pages:
    """One table as a list with pages, which can be filtered and sorted by the named columns.

    `columns` are what an item of a page is made of; `item` makes its bytes of a row of them.
    """

    def __init__(
        self,
        records: Records[Any],
        names: Iterable[str],
        columns: Sequence[Column[Any]],
        item: Callable[[RawRow], bytes],
    ) -> None:
        collation = "BINARY" if records.store.is_sqlite else "C"
        table, indexed = records.table, records.kind.listed_by()
        self._store = records.store
        self._item = item
        self._fields = {
            name: Field(table.columns[name], collation, name in indexed) for name in names
        }
        self._scan = Scan(table, columns, self._fields)

    def wanted(
        self, request: Any, allowed: Mapping[str, Collection[Any]], hidden: Collection[str]
    ) -> Wanted:
        """Returns which rows a list request asks for.

        `allowed` narrows the list to rows whose columns have one of the given values; rows whose
        ids are in `hidden` are left out. Raises InvalidArgument.
        """
        found = Violations()
        size: int = request.page_size
        found.check("page_size", rules.PAGE_SIZE, size >= 0, f"must not be negative, but is {size}")
        ranges = self._ranges(request.filter, found)
        terms = self._terms(request.order_by, found)
        found.raise_if_any()
        return Wanted(ranges, terms, allowed, hidden)

    def plan(self, fetch: Fetch, wanted: Wanted) -> Plan:
        """Returns how the rows are read. Raises FailedPrecondition for an order of too many."""
        return self._scan.plan(fetch, wanted)

    def page(self, request: Any, wanted: Wanted) -> tuple[list[bytes], str]:
        """Returns the items of a page, and the token of the next page; it is empty if there is no
        further row. Raises InvalidArgument for a token that is not of this list, and
        FailedPrecondition for an order of too many rows.
        """
        keyset = self._scan.keyset(wanted.terms)
        # The pages of one list with one filter and one order have the same mark.
        mark = digest(request, "page_size", "page_token")[:16]
        position = None
        if token := request.page_token:
            try:
                position = keyset.position(token, mark)
            except BadToken as bad:
                fault = f"{token[:40]!r} {bad}"
                raise InvalidArgument.at("page_token", rules.PAGE_TOKEN, fault) from None
        size = min(request.page_size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
        plan = self.plan(self._store.fetch, wanted)
        if plan.has_windows:
            with self._store.snapshot() as snapshot:
                rows, end = plan.after(fetch_on(snapshot), position, size, scan.WINDOW_ROWS)
        else:
            rows, end = plan.after(self._store.fetch, position, size, scan.WINDOW_ROWS)
        items: list[bytes] = []
        left = MAX_PAGE_BYTES
        for row in rows:
            item = self._item(row)
            left -= len(item)
            if left < 0 and items:
                end = keyset.position_of(rows[len(items) - 1])
                break
            items.append(item)
        return items, "" if end is None else keyset.token(end, mark)

    def _ranges(self, filter: Mapping[str, str], found: Violations) -> dict[str, tuple[Any, Any]]:
        """Returns the lowest and highest value of each field of a filter."""
        unknown = sorted(set(filter) - set(self._fields))
        names = ", ".join(repr(name) for name in unknown)
        found.check("filter", rules.FILTER_FIELD, not unknown, self._no_field(names))
        ranges = {}
        for name in sorted(set(filter) & set(self._fields)):
            field = self._fields[name]
            try:
                ranges[name] = field.range(filter[name])
            except ValueError:
                description = f"must be {field.noun}, not {filter[name]!r}"
                found.add(f"filter[{name!r}]", rules.FILTER_FIELD, description)
        return ranges

    def _terms(self, order_by: str, found: Violations) -> Terms:
        """Returns the fields to sort by, each with whether it is descending."""
        order: dict[str, bool] = {}
        for part in order_by.split(",") if order_by.strip() else ():
            name, *direction = part.split() or [""]
            if name not in self._fields:
                fault = self._no_field(repr(name))
            elif name in order:
                fault = f"names {name!r} twice"
            elif tuple(direction) not in _DIRECTIONS:
                fault = f"after a field only `asc` or `desc` may stand, not as in {part.strip()!r}"
            else:
                order[name] = _DIRECTIONS[tuple(direction)]
                continue
            found.add("order_by", rules.ORDER_FIELD, fault)
            break
        return tuple(order.items())

    def _no_field(self, names: str) -> str:
        return f"the list has no field {names}; it has {', '.join(sorted(self._fields))}"
