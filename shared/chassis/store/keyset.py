"""Orders of rows, and page tokens that name a position in an order.

A page begins after the position of the last row of the page before it, wherever that row is by
then. Rows that are added or removed between two pages shift nothing. See https://google.aip.dev/158.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, or_

from chassis.store.statements import RawRow

Position = Sequence[Any]
"""Values of the keys of an order, of one row."""


class BadToken(ValueError):
    """A page token that this order did not make; the text says why: "is not a page token"."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One expression that rows are sorted by. Its value must never be null."""

    expression: ColumnElement[Any]
    descending: bool
    to_token: Callable[[Any], Any]
    """Makes a JSON value of a value of the expression."""
    from_token: Callable[[Any], Any]
    """Reads what `to_token` wrote; raises ValueError for anything else."""
    from_row: Callable[[Any], Any] = lambda value: value
    """Makes a value of the expression of what a raw row has."""

    def sorted(self) -> ColumnElement[Any]:
        """Returns the term for ORDER BY."""
        return self.expression.desc() if self.descending else self.expression.asc()

    def after(self, parameter: str) -> ColumnElement[bool]:
        """Returns the condition that a row comes after all rows with the value."""
        last = self._bound(parameter)
        after: ColumnElement[bool] = (
            self.expression < last if self.descending else self.expression > last
        )
        return after

    def equals(self, parameter: str) -> ColumnElement[bool]:
        """Returns the condition that a row has the value."""
        equal: ColumnElement[bool] = self.expression == self._bound(parameter)
        return equal

    def _bound(self, parameter: str) -> BindParameter[Any]:
        # With its type: otherwise SQLAlchemy does not compare truth values by size.
        return bindparam(parameter, type_=self.expression.type)


class Keyset:
    """An order of rows by one or more keys, of which the last must be unique."""

    def __init__(self, keys: Sequence[SortKey]) -> None:
        self.keys = keys

    def order_by(self) -> list[ColumnElement[Any]]:
        """Returns the terms for ORDER BY."""
        return [key.sorted() for key in self.keys]

    def position_of(self, row: RawRow) -> Position:
        """Returns the position of a row whose last values are those of the keys."""
        return [
            key.from_row(value)
            for key, value in zip(self.keys, row[-len(self.keys) :], strict=True)
        ]

    def values(self, position: Position) -> dict[str, Any]:
        """Returns a position as values of parameters."""
        return {f"key{number}": value for number, value in enumerate(position)}

    def after(self) -> ColumnElement[bool]:
        """Returns the condition that a row comes after a position."""
        names = [f"key{number}" for number in range(len(self.keys))]
        *outer, (last, name) = zip(self.keys, names, strict=True)
        condition = last.after(name)
        for key, name in reversed(outer):
            condition = or_(key.after(name), and_(key.equals(name), condition))
        return condition

    def token(self, position: Position, mark: str) -> str:
        """Returns the page token of a position.

        `mark` identifies a list with its filter and order; a token with another one is refused.
        """
        content = [
            mark,
            *(key.to_token(value) for key, value in zip(self.keys, position, strict=True)),
        ]
        return base64.urlsafe_b64encode(json.dumps(content, ensure_ascii=False).encode()).decode()

    def position(self, token: str, mark: str) -> Position:
        """Returns the position that a token names; raises BadToken."""
        try:
            content = json.loads(base64.b64decode(token, b"-_", validate=True))
            if not isinstance(content, list) or not content or not isinstance(content[0], str):
                raise ValueError("a token is a list that begins with its mark")
            values = (
                [key.from_token(part) for key, part in zip(self.keys, content[1:], strict=True)]
                if content[0] == mark
                else None
            )
        except (ValueError, RecursionError):
            raise BadToken("is not a page token") from None
        if values is None:
            raise BadToken("comes from another list, or from this one with another filter or order")
        return values
