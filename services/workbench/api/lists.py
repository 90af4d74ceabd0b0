"""Filter, order and pages of list operations.

`search_filter` is a JSON object of field and wanted value, `sort` a list of fields separated by
commas, each with `+` (the default) or `-` before it. A page begins after the last row of the page
before it, wherever that row stands by then, so rows that are added meanwhile shift nothing.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends
from sqlalchemy import ColumnElement, String, and_, func, inspect, literal, or_, select
from sqlalchemy.orm import Session

from chassis.rpc import errors
from cmlapi.models.base import ApiModel
from services.workbench.api import views
from services.workbench.api.description import documented_keys

R = TypeVar("R")
DEFAULT_PAGE_SIZE = 10
MAX_PAGE_SIZE = 1000
_LOWEST: dict[type, Any] = {
    str: "",
    int: 0,
    float: 0.0,
    bool: False,
    datetime: datetime.min.replace(tzinfo=UTC),
}
_PEOPLE = ("creator", "owner")
"""Parts of a key that stand for the one user there is."""


@dataclass(frozen=True)
class ListQuery:
    """The query parameters that list operations share."""

    search_filter: str = ""
    sort: str = ""
    page_size: int = 0
    page_token: str = ""


ListParameters = Annotated[ListQuery, Depends(ListQuery)]


@dataclass(frozen=True)
class _Order:
    column: ColumnElement[Any]
    descending: bool

    def at(self, value: Any) -> ColumnElement[bool]:
        return self.column == self._literal(value)

    def after(self, value: Any) -> ColumnElement[bool]:
        last = self._literal(value)
        beyond: ColumnElement[bool] = self.column < last if self.descending else self.column > last
        return beyond

    def _literal(self, value: Any) -> ColumnElement[Any]:
        # With its type: of bare truth values SQLAlchemy takes none to be the greater.
        return literal(value, self.column.type)


class Keys:
    """Keys of an operation's `search_filter` and `sort`: `fields`, and those that are documented.

    A documented key whose field there is not has the same value for all: nothing, or what the one
    user is called.
    """

    def __init__(self, operation: str, fields: Mapping[str, ColumnElement[Any]]) -> None:
        self._fields = fields
        self._documented = {
            parameter: documented_keys(operation, parameter)
            for parameter in ("search_filter", "sort")
        }

    def wanted(self, search_filter: str) -> list[ColumnElement[bool]]:
        """Return the conditions of a filter; raises InvalidArgument."""
        if not search_filter:
            return []
        try:
            wanted = json.loads(search_filter)
        except ValueError as error:
            raise errors.InvalidArgument(f"search_filter: not JSON: {error}") from None
        if not isinstance(wanted, dict):
            raise errors.InvalidArgument("search_filter: must be a JSON object of field and value")
        found = []
        for name, value in wanted.items():
            column = self._column("search_filter", name)
            wanted_value = _filter_value(name, column.type.python_type, value)
            found.append(column == literal(wanted_value, column.type))
        return found

    def orders(self, sort: str) -> list[_Order]:
        """Return the orders of a sort, without those that order nothing; raises InvalidArgument."""
        orders = []
        for part in filter(None, sort.split(",")):
            # A `+` that was not escaped in a query arrives as a blank.
            name = part.strip()
            name = name[1:] if name[:1] in ("+", "-") else name
            column = self._column("sort", name)
            if name not in self._fields:
                continue
            # NULL compares as nothing; the lowest value of the type in its stead keeps pages whole.
            lowest = literal(_LOWEST[column.type.python_type], column.type)
            orders.append(_Order(func.coalesce(column, lowest), part.strip().startswith("-")))
        return orders

    def _column(self, parameter: str, name: str) -> ColumnElement[Any]:
        documented = self._documented[parameter]
        if name in self._fields:
            return self._fields[name]
        if name in documented:
            return literal(_same_for_all(name), String())
        known = ", ".join(sorted({*self._fields, *documented}))
        raise errors.InvalidArgument(f"{parameter}: unknown field {name!r}; known: {known}")


class ListOperation(Generic[R]):
    """One table as a list of the API.

    Filter and sort know the fields of `model` that are plain columns of `table`, and what the
    client documents for the operation; `more` are columns for further keys.
    """

    def __init__(
        self,
        operation: str,
        table: type[R],
        model: type[ApiModel],
        more: Mapping[str, ColumnElement[Any]] | None = None,
    ) -> None:
        self._table: Any = table
        attributes = inspect(table).column_attrs
        columns = {attribute.key: attribute.columns[0] for attribute in attributes}
        plain = {
            name: columns[name]
            for name in model.swagger_types
            if name in columns and columns[name].type.python_type in _LOWEST
        }
        self._keys = Keys(operation, plain | dict(more or {}))
        self._seq = _Order(columns["seq"], False)

    def page(
        self, session: Session, query: ListQuery, *conditions: ColumnElement[bool]
    ) -> tuple[Sequence[R], str]:
        """Return the rows of one page that meet `conditions`, and the next page's token or "".

        Raises InvalidArgument naming the parameter that is wrong.
        """
        orders = [*self._keys.orders(query.sort), self._seq]
        statement = select(self._table).where(*conditions, *self._keys.wanted(query.search_filter))
        statement = statement.order_by(
            *(order.column.desc() if order.descending else order.column for order in orders)
        )
        mark = hashlib.sha256(f"{query.search_filter}|{query.sort}".encode()).hexdigest()[:12]
        if query.page_token:
            statement = statement.where(_beyond(orders, _values(query.page_token, mark, orders)))
        size = _page_size(query.page_size)
        rows = session.scalars(statement.limit(size + 1)).all()
        if len(rows) <= size:
            return rows, ""
        last = select(*(order.column for order in orders)).where(
            self._table.seq == rows[size - 1].seq
        )
        return rows[:size], _token(mark, session.execute(last).one())


def check_empty(operation: str, query: ListQuery) -> None:
    """Raises InvalidArgument, as a list would, for a query of a list that is always empty."""
    keys = Keys(operation, {})
    keys.orders(query.sort)
    keys.wanted(query.search_filter)
    _page_size(query.page_size)
    if query.page_token:
        raise errors.InvalidArgument("page_token: not a token of this list")


def _same_for_all(name: str) -> str:
    part, _, field = name.partition(".")
    value = getattr(views.user(), field, "") if part in _PEOPLE else ""
    return str(value)


def _filter_value(name: str, kind: type, value: Any) -> Any:
    try:
        if kind is bool:
            return {"true": True, "false": False}[str(value).lower()]
        if isinstance(value, str | int | float):
            return datetime.fromisoformat(str(value)) if kind is datetime else kind(value)
    except (KeyError, ValueError):
        pass
    raise errors.InvalidArgument(f"search_filter: {name}: {value!r} is not a {kind.__name__}")


def _page_size(asked: int) -> int:
    if asked < 0:
        raise errors.InvalidArgument(f"page_size: {asked} is negative")
    return min(asked or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def _beyond(orders: Sequence[_Order], values: Sequence[Any]) -> ColumnElement[bool]:
    alternatives = [
        and_(*(o.at(v) for o, v in zip(orders[:n], values, strict=False)), order.after(value))
        for n, (order, value) in enumerate(zip(orders, values, strict=True))
    ]
    return or_(*alternatives)


def _token(mark: str, values: Sequence[Any]) -> str:
    plain = [v.isoformat() if isinstance(v, datetime) else v for v in values]
    return base64.urlsafe_b64encode(json.dumps([mark, *plain]).encode()).decode()


def _values(token: str, mark: str, orders: Sequence[_Order]) -> list[Any]:
    try:
        found, *plain = json.loads(base64.urlsafe_b64decode(token))
        values = [
            datetime.fromisoformat(v) if o.column.type.python_type is datetime else v
            for o, v in zip(orders, plain, strict=True)
        ]
    except (ValueError, TypeError):
        raise errors.InvalidArgument("page_token: not a token of this list") from None
    if found != mark:
        raise errors.InvalidArgument("page_token: comes from another search_filter or sort")
    return values
