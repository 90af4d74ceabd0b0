"""Pages of a list: its filter, its order, and tokens that say where a page has ended.

A page begins behind the place of the last row of the page before, wherever that row is by then, so
rows that come and go meanwhile shift nothing. See https://google.aip.dev/132 and /158.
"""

import base64
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from sqlalchemy import ColumnElement, and_, or_, select

from chassis.rpc import rules
from chassis.rpc.errors import InvalidArgument, Violations
from chassis.rpc.requests import digest
from chassis.store.fields import Field
from chassis.store.records import Record, Records, Row

DEFAULT_PAGE_SIZE = 100
"""Rows of a page that is asked for by a token alone."""
MAX_PAGE_SIZE = 1000
MAX_PAGE_CHARACTERS = 4 * 1024 * 1024
"""Texts of a page's rows together, so that a page fits into a message whatever they are."""
_DIRECTIONS = {(): False, ("asc",): False, ("desc",): True}


@dataclass(frozen=True, slots=True)
class _Term:
    """One field of an order."""

    field: Field
    descending: bool = False

    def sorted(self) -> ColumnElement[Any]:
        return self.field.key.desc() if self.descending else self.field.key

    def beyond(self, value: Any) -> ColumnElement[bool]:
        key = self.field.key
        beyond: ColumnElement[bool] = key < value if self.descending else key > value
        return beyond


class Pages(Generic[Row]):
    """One table as a list that has pages, and the named columns as fields to filter and sort by."""

    def __init__(self, records: Records[Row], names: Iterable[str]) -> None:
        collation = "BINARY" if records.store.is_sqlite else "C"
        columns = records.table.columns
        self._records = records
        self._fields = {name: Field(columns[name], collation) for name in names}
        self._arrival = _Term(Field(columns["seq"], collation))

    def page(
        self,
        request: Any,
        allowed: Mapping[str, Collection[Any]],
        hidden: Collection[str] = (),
    ) -> tuple[Sequence[Row], str]:
        """The rows that a list request asks for, and the token of the next page, empty if there is
        no further row.

        `allowed` narrows the list, beside the request's filter, to rows whose columns have one of
        the given values; rows whose ids are `hidden` are left out. Raises InvalidArgument.
        """
        found = Violations()
        size = _size(request, found)
        wanted = self._wanted(request.filter, found)
        terms = self._terms(request.order_by, found)
        found.raise_if_any()
        query = select(self._records.table).where(*wanted, *self._records.among(allowed))
        if hidden:
            query = query.where(self._records.table.c.id.not_in(hidden))
        mark = _mark(request)
        if request.page_token:
            query = query.where(_behind(terms, _values(request.page_token, mark, terms)))
        query = query.order_by(*(term.sorted() for term in terms))
        if size is None:
            return self._records.matching(query), ""
        rows = self._records.matching(query.limit(size + 1))
        page = _fitting(rows[:size])
        return page, _token(mark, terms, page[-1]) if len(rows) > len(page) else ""

    def _wanted(self, filter: Mapping[str, str], found: Violations) -> list[ColumnElement[bool]]:
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

    def _terms(self, order_by: str, found: Violations) -> list[_Term]:
        terms: dict[str, _Term] = {}
        for part in order_by.split(",") if order_by.strip() else ():
            name, *direction = part.split() or [""]
            if name not in self._fields:
                fault = self._no_field(repr(name))
            elif name in terms:
                fault = f"names {name!r} twice"
            elif tuple(direction) not in _DIRECTIONS:
                fault = f"behind a field only `asc` or `desc` may stand, not as in {part.strip()!r}"
            else:
                terms[name] = _Term(self._fields[name], _DIRECTIONS[tuple(direction)])
                continue
            found.add("order_by", rules.ORDER_FIELD, fault)
            break
        return [*terms.values(), self._arrival]

    def _no_field(self, names: str) -> str:
        return f"the list has no field {names}; it has {', '.join(sorted(self._fields))}"


def _size(request: Any, found: Violations) -> int | None:
    """How many rows at most; None for all."""
    size: int = request.page_size
    found.check("page_size", rules.PAGE_SIZE, size >= 0, f"must not be negative, but is {size}")
    if not size and not request.page_token:
        return None
    return min(size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def _fitting(rows: Sequence[Row]) -> Sequence[Row]:
    """The first of the rows, as many as a page may have by their size; one at least."""
    left = MAX_PAGE_CHARACTERS
    for number, row in enumerate(rows):
        left -= sum(len(value) for value in row.values().values() if isinstance(value, str))
        if left < 0 and number:
            return rows[:number]
    return rows


def _behind(terms: Sequence[_Term], values: Sequence[Any]) -> ColumnElement[bool]:
    """That a row comes after the place with these values."""
    *outer, (last, value) = zip(terms, values, strict=True)
    behind = last.beyond(value)
    for term, value in reversed(outer):
        behind = or_(term.beyond(value), and_(term.field.key == value, behind))
    return behind


def _mark(request: Any) -> str:
    """What the pages of one list with one filter and one order have in common."""
    return digest(request, "page_size", "page_token")[:16]


def _token(mark: str, terms: Sequence[_Term], last: Record) -> str:
    content = [mark, *(term.field.place(last) for term in terms)]
    return base64.urlsafe_b64encode(json.dumps(content, ensure_ascii=False).encode()).decode()


def _values(token: str, mark: str, terms: Sequence[_Term]) -> list[Any]:
    try:
        content = json.loads(base64.b64decode(token, b"-_", validate=True))
        if not isinstance(content, list) or not all(isinstance(part, str) for part in content):
            raise ValueError("not a list of texts")
        if content[:1] == [mark]:
            return [term.field.at(p) for term, p in zip(terms, content[1:], strict=True)]
        fault = "comes from another list, or from this one with another filter or order"
    except (ValueError, RecursionError):
        fault = "is not a page token"
    raise InvalidArgument.at("page_token", rules.PAGE_TOKEN, f"{token[:40]!r} {fault}")
