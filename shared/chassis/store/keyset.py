"""Keyset paging: orders of rows, and page tokens that name a position in an order.

A page begins after the position of the last row of the page before it, wherever that row is by
then. Rows that are added or removed between two pages shift nothing. See https://google.aip.dev/158.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, or_


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

    def sorted(self) -> ColumnElement[Any]:
        """Returns the term for ORDER BY."""
        return self.expression.desc() if self.descending else self.expression.asc()

    def after(self, value: Any) -> ColumnElement[bool]:
        """Returns the condition that a row comes after all rows with this value."""
        # With its type: otherwise SQLAlchemy does not compare truth values by size.
        last = literal(value, self.expression.type)
        after: ColumnElement[bool] = (
            self.expression < last if self.descending else self.expression > last
        )
        return after

    def equals(self, value: Any) -> ColumnElement[bool]:
        """Returns the condition that a row has this value."""
        equal: ColumnElement[bool] = self.expression == literal(value, self.expression.type)
        return equal


class Keyset:
    """An order of rows by one or more keys, of which the last must be unique.

    `mark` identifies a list with its filter and order; a page token with another mark is refused.
    """

    def __init__(self, keys: Sequence[SortKey], mark: str) -> None:
        self._keys = keys
        self._mark = mark

    def order_by(self) -> list[ColumnElement[Any]]:
        """Returns the terms for ORDER BY."""
        return [key.sorted() for key in self._keys]

    def token(self, values: Sequence[Any]) -> str:
        """Returns the page token of the position with these values of the keys."""
        content = [
            self._mark,
            *(key.to_token(value) for key, value in zip(self._keys, values, strict=True)),
        ]
        return base64.urlsafe_b64encode(json.dumps(content, ensure_ascii=False).encode()).decode()

    def after(self, token: str) -> ColumnElement[bool]:
        """Returns the condition that a row comes after the token's position; raises BadToken."""
        try:
            content = json.loads(base64.b64decode(token, b"-_", validate=True))
            if not isinstance(content, list) or not content or not isinstance(content[0], str):
                raise ValueError("a token is a list that begins with its mark")
            values = (
                [key.from_token(part) for key, part in zip(self._keys, content[1:], strict=True)]
                if content[0] == self._mark
                else None
            )
        except (ValueError, RecursionError):
            raise BadToken("is not a page token") from None
        if values is None:
            raise BadToken("comes from another list, or from this one with another filter or order")
        *outer, (last, value) = zip(self._keys, values, strict=True)
        condition = last.after(value)
        for key, value in reversed(outer):
            condition = or_(key.after(value), and_(key.equals(value), condition))
        return condition
