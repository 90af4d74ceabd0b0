"""Filter, order and pages of list operations.

`search_filter` is a JSON object of field and wanted value, `sort` a list of fields separated by
commas, each with `+` (the default) or `-` before it. Page tokens are those of
`chassis.store.keyset`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends
from sqlalchemy import Column, ColumnElement, String, func, inspect, literal, select
from sqlalchemy.orm import Session

from chassis.rpc import errors
from chassis.store.keyset import BadToken, Keyset, SortKey
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
"""Parts of a key that mean the only user."""


@dataclass(frozen=True)
class ListQuery:
    """The query parameters that list operations share."""

    search_filter: str = ""
    sort: str = ""
    page_size: int = 0
    page_token: str = ""


ListParameters = Annotated[ListQuery, Depends(ListQuery)]


class Keys:
    """Keys of an operation's `search_filter` and `sort`: `fields`, and the documented ones.

    For a documented key without a field here, all rows have the same value: none, or the name of
    the only user.
    """

    def __init__(self, operation: str, fields: Mapping[str, ColumnElement[Any]]) -> None:
        self._fields = fields
        self._documented = {
            parameter: documented_keys(operation, parameter)
            for parameter in ("search_filter", "sort")
        }

    def wanted(self, search_filter: str) -> list[ColumnElement[bool]]:
        """Returns the conditions of a filter; raises InvalidArgument."""
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

    def sort_keys(self, sort: str) -> list[SortKey]:
        """Returns the keys of a sort, without those that have no effect; raises InvalidArgument."""
        keys = []
        for part in filter(None, sort.split(",")):
            # A `+` that was not escaped in a query arrives as a blank.
            name = part.strip()
            name = name[1:] if name[:1] in ("+", "-") else name
            column = self._column("sort", name)
            if name not in self._fields:
                continue
            if not isinstance(column, Column) or column.nullable:
                # Null compares as neither lower nor higher: it is sorted as the lowest value.
                lowest = literal(_LOWEST[column.type.python_type], column.type)
                column = func.coalesce(column, lowest)
            keys.append(_sort_key(column, part.strip().startswith("-")))
        return keys

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
        self._seq = _sort_key(columns["seq"], False)

    def page(
        self, session: Session, query: ListQuery, *conditions: ColumnElement[bool]
    ) -> tuple[Sequence[R], str]:
        """Returns the rows of one page that meet `conditions`, and the next page's token or "".

        Raises InvalidArgument naming the parameter that is wrong.
        """
        keys = [*self._keys.sort_keys(query.sort), self._seq]
        mark = hashlib.sha256(f"{query.search_filter}|{query.sort}".encode()).hexdigest()[:12]
        keyset = Keyset(keys)
        # With the values of the keys, for the token.
        statement = (
            select(self._table, *(key.expression for key in keys))
            .where(*conditions, *self._keys.wanted(query.search_filter))
            .order_by(*keyset.order_by())
        )
        if query.page_token:
            try:
                position = keyset.position(query.page_token, mark)
            except BadToken as bad:
                raise errors.InvalidArgument(
                    f"page_token: {query.page_token[:40]!r} {bad}"
                ) from None
            statement = statement.where(keyset.after()).params(keyset.values(position))
        size = _page_size(query.page_size)
        found = session.execute(statement.limit(size + 1)).all()
        token = keyset.token(found[size - 1][1:], mark) if len(found) > size else ""
        return [row[0] for row in found[:size]], token


def check_empty(operation: str, query: ListQuery) -> None:
    """Raises InvalidArgument, as a list would, for a query of a list that is always empty."""
    keys = Keys(operation, {})
    keys.sort_keys(query.sort)
    keys.wanted(query.search_filter)
    _page_size(query.page_size)
    if query.page_token:
        raise errors.InvalidArgument(f"page_token: {query.page_token[:40]!r} is not a page token")


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


def _sort_key(expression: ColumnElement[Any], descending: bool) -> SortKey:
    kind = expression.type.python_type

    def to_token(value: Any) -> Any:
        return value.isoformat() if kind is datetime else value

    def from_token(part: Any) -> Any:
        if not isinstance(part, str if kind is datetime else kind):
            raise ValueError(f"{part!r} stands for no {kind.__name__}")
        return datetime.fromisoformat(part) if kind is datetime else part

    return SortKey(expression, descending, to_token, from_token)
