"""Fields to filter and sort lists by: columns of a table, with values as in messages.

Null counts as an empty text or zero, because a message does not distinguish them. Texts are
compared byte by byte, whatever the locale of the database is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, String, bindparam, collate, func, literal_column

from chassis.store.convert import table_time, time_of
from chassis.store.keyset import SortKey

SORTED_CHARACTERS = 256
"""Characters of a text that count in an order, because page tokens contain them."""
_SAME_NUMBER = 2.0**-24
"""Relative difference within which two numbers are the same in the 32 bits of a message."""


@dataclass(frozen=True, slots=True)
class _ValueType:
    """The values of a column type, as filters and page tokens write them."""

    noun: str
    """Name of the values in messages to people."""
    empty: Any
    """The value that stands for null."""
    parse: Callable[[str], Any]
    """Reads a value; raises ValueError."""
    text: Callable[[Any], str] = str
    """Writes a value."""
    alike: Callable[[Any], tuple[Any, Any]] = lambda value: (value, value)
    """Returns the lowest and highest of the values that look the same in a message."""


class Field:
    """One column to filter and sort by."""

    def __init__(self, column: Column[Any], collation: str, indexed: bool = False) -> None:
        """`collation` is the database's name of the one that compares bytes; `indexed` tells
        whether the table has the indexes of `chassis.store.indexes` on the column."""
        self.column = column
        self.indexed = indexed
        self._type = _TYPES[column.type.python_type]
        self.is_text = column.type.python_type is str
        self._key = self._shown(column)
        if self.is_text:
            # Literals, because an index is used only for the expression that it was made with.
            first: ColumnElement[int] = literal_column("1")
            length: ColumnElement[int] = literal_column(str(SORTED_CHARACTERS))
            beginning = func.substr(self._key, first, length, type_=String)
            self._key = collate(beginning, collation)

    @property
    def noun(self) -> str:
        """Name of the field's values in messages to people."""
        return self._type.noun

    def range(self, text: str) -> tuple[Any, Any]:
        """Returns the lowest and highest of the values that a message shows as this text.

        Raises ValueError.
        """
        return self._type.alike(self._type.parse(text))

    def shows(self, name: str, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Returns the condition that a value lies between the parameters `name` and `name_to`.

        A text is compared with `name` only. `column` is the field's, of the table or of a query.
        """
        lowest = bindparam(name, type_=self.column.type)
        if self.is_text:
            equal: ColumnElement[bool] = self._shown(column) == lowest
            return equal
        highest = bindparam(f"{name}_to", type_=self.column.type)
        return self._shown(column).between(lowest, highest)

    def _shown(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Returns a value as messages have it. Texts may be null for the index's sake."""
        if not self.is_text and not self.column.nullable:
            return column
        empty: ColumnElement[Any] = literal_column(repr(self._type.empty))
        return func.coalesce(column, empty, type_=self.column.type)

    def is_in_index(self, name: str) -> ColumnElement[bool]:
        """Returns a condition that uses the field's index: `shows`, for texts by their beginning,
        the parameter `name_key`."""
        if not self.is_text:
            return self.shows(name, self.column)
        return self.sort_key(False).equals(f"{name}_key")

    def sort_key(self, descending: bool) -> SortKey:
        """Returns the key that sorts rows by this field."""
        is_time = self.column.type.python_type is datetime
        return SortKey(
            self._key,
            descending,
            from_row=time_of if is_time else lambda value: value,
            to_token=self._type.text,
            from_token=self._from_token,
        )

    def _from_token(self, part: Any) -> Any:
        if not isinstance(part, str):
            raise ValueError(f"{part!r} is not a text")
        return self._type.parse(part)


def _parse_text(text: str) -> str:
    text.encode()
    if "\0" in text:
        raise ValueError("no text of a table has a NUL in it")
    return text


def _parse_integer(text: str) -> int:
    value = int(text)
    if not -(2**31) <= value < 2**31:
        raise ValueError(f"{value} has more than 32 bits")
    return value


def _parse_number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{value} is not finite")
    return value


def _number_range(number: float) -> tuple[float, float]:
    margin = abs(number) * _SAME_NUMBER
    return number - margin, number + margin


def _millisecond_range(time: datetime) -> tuple[datetime, datetime]:
    start = time.replace(microsecond=time.microsecond // 1000 * 1000)
    return start, start.replace(microsecond=start.microsecond + 999)


_TYPES: dict[type, _ValueType] = {
    str: _ValueType("a text", "", _parse_text),
    int: _ValueType("a whole number of 32 bits", 0, _parse_integer),
    float: _ValueType("a finite number", 0.0, _parse_number, repr, _number_range),
    datetime: _ValueType(
        "an RFC 3339 time", None, table_time, datetime.isoformat, _millisecond_range
    ),
}
