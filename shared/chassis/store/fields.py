"""Fields to filter and sort lists by: columns of a table, with values as in messages.

Null counts as an empty text or zero, because a message does not distinguish them. Texts are
compared byte by byte, whatever the locale of the database is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, String, collate, func, or_

from chassis.store.convert import table_time
from chassis.store.keyset import SortKey
from chassis.store.records import Record

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

    def __init__(self, column: Column[Any], collation: str) -> None:
        """`collation` is the database's name of the one that compares bytes."""
        self._column = column
        self._type = _TYPES[column.type.python_type]
        key: ColumnElement[Any] = column
        if column.nullable:
            key = func.coalesce(column, self._type.empty)
        if column.type.python_type is str:
            key = collate(func.substr(key, 1, SORTED_CHARACTERS, type_=String), collation)
        self._key = key

    @property
    def noun(self) -> str:
        """Name of the field's values in messages to people."""
        return self._type.noun

    def shows(self, text: str) -> ColumnElement[bool]:
        """Returns the condition that a message shows the value that the text stands for.

        Raises ValueError.
        """
        value = self._type.parse(text)
        lowest, highest = self._type.alike(value)
        if lowest == highest:
            shown: ColumnElement[bool] = self._column == value
        else:
            shown = self._column.between(lowest, highest)
        return or_(self._column.is_(None), shown) if value == self._type.empty else shown

    def sort_key(self, descending: bool) -> SortKey:
        """Returns the key that sorts rows by this field."""
        return SortKey(self._key, descending, self._type.text, self._from_token)

    def sort_value(self, record: Record) -> Any:
        """Returns the record's value of the sort key."""
        value = getattr(record, self._column.key)
        if value is None:
            return self._type.empty
        return value[:SORTED_CHARACTERS] if isinstance(value, str) else value

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
