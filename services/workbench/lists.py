"""Filter, order and pages of list operations.

`search_filter` is a JSON object of field and wanted value, `sort` a list of fields separated by
commas, each with `+` (the default) or `-` before it. A page begins after the last row of the page
before it, wherever that row stands by then, so rows that are added meanwhile shift nothing.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends
from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.orm import Session

from chassis import errors
from cmlapi.models.base import ApiModel
from services.workbench.tables import Row

R = TypeVar("R", bound=Row)
DEFAULT_PAGE_SIZE = 10
MAX_PAGE_SIZE = 1000
_LOWEST: dict[type, Any] = {
    str: "",
    int: 0,
    float: 0.0,
    bool: False,
    datetime: datetime.min.replace(tzinfo=UTC),
}


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

    def after(self, value: Any) -> ColumnElement[bool]:
        beyond: ColumnElement[bool] = (
            self.column < value if self.descending else self.column > value
        )
        return beyond


class Listing(Generic[R]):
    """One table as a list of the API.

    Filter and sort know the fields of `model` that are plain columns of `table`; `aliases` are
    further names for them that filters in the field use.
    """

    def __init__(
        self, table: type[R], model: type[ApiModel], aliases: dict[str, str] | None = None
    ) -> None:
        self._table = table
        columns = table.__table__.columns
        self._fields: dict[str, ColumnElement[Any]] = {
            name: columns[name]
            for name in model.swagger_types
            if name in columns and columns[name].type.python_type in _LOWEST
        }
        self._fields |= {alias: columns[name] for alias, name in (aliases or {}).items()}

    def page(
        self, session: Session, query: ListQuery, *conditions: ColumnElement[bool]
    ) -> tuple[Sequence[R], str]:
        """Return the rows of one page that meet `conditions`, and the next page's token or "".

        Raises InvalidArgument naming the parameter that is wrong.
        """
        orders = self._orders(query.sort)
        statement = select(self._table).where(*conditions, *self._wanted(query.search_filter))
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

    def _wanted(self, search_filter: str) -> list[ColumnElement[bool]]:
        if not search_filter:
            return []
        try:
            wanted = json.loads(search_filter)
        except ValueError as error:
            raise errors.InvalidArgument(f"search_filter: not JSON: {error}") from None
        if not isinstance(wanted, dict):
            raise errors.InvalidArgument("search_filter: must be a JSON object of field and value")
        return [
            self._field("search_filter", name) == self._value(name, value)
            for name, value in wanted.items()
        ]

    def _value(self, name: str, value: Any) -> Any:
        kind = self._field("search_filter", name).type.python_type
        try:
            if kind is bool:
                return {"true": True, "false": False}[str(value).lower()]
            if isinstance(value, str | int | float):
                return datetime.fromisoformat(str(value)) if kind is datetime else kind(value)
        except (KeyError, ValueError):
            pass
        raise errors.InvalidArgument(f"search_filter: {name}: {value!r} is not a {kind.__name__}")

    def _orders(self, sort: str) -> list[_Order]:
        orders = []
        for part in filter(None, sort.split(",")):
            # A `+` that was not escaped in a query arrives as a blank.
            name = part.strip().lstrip("+-")
            column = self._field("sort", name)
            # NULL compares as nothing; the lowest value of the type in its stead keeps pages whole.
            lowest = literal(_LOWEST[column.type.python_type], column.type)
            orders.append(_Order(func.coalesce(column, lowest), part.strip().startswith("-")))
        return [*orders, _Order(self._table.__table__.columns["seq"], False)]

    def _field(self, parameter: str, name: str) -> ColumnElement[Any]:
        if name not in self._fields:
            known = ", ".join(sorted(self._fields))
            raise errors.InvalidArgument(f"{parameter}: unknown field {name!r}; known: {known}")
        return self._fields[name]


def _page_size(asked: int) -> int:
    if asked < 0:
        raise errors.InvalidArgument(f"page_size: {asked} is negative")
    return min(asked or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def _beyond(orders: Sequence[_Order], values: Sequence[Any]) -> ColumnElement[bool]:
    alternatives = [
        and_(*(o.column == v for o, v in zip(orders[:n], values, strict=False)), order.after(value))
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
