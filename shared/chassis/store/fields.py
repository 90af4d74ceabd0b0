"""Fields that lists are filtered and sorted by: columns of a table, as messages show them.

A column without a value counts as an empty text or a zero, since a message does not tell them
apart. Texts are compared byte by byte, whatever language the database is set to.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, String, collate, func, or_

from chassis.store.convert import table_time
from chassis.store.records import Record

SORTED_CHARACTERS = 256
"""How much of a text decides its place in an order: a page token carries it, and has a limit."""
_SAME_NUMBER = 2.0**-24
"""Messages carry 32 bits of a number: within this share of it, two look the same."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How values of a type are written, and the range of those that look the same in a message."""

    noun: str
    empty: Any
    parse: Callable[[str], Any]
    text: Callable[[Any], str] = str
    alike: Callable[[Any], tuple[Any, Any]] = lambda value: (value, value)


class Field:
    """One column to filter and sort by."""

    def __init__(self, column: Column[Any], collation: str) -> None:
        """`collation` is the database's name of the one that compares bytes."""
        self._column = column
        self._kind = _KINDS[column.type.python_type]
        self.key: ColumnElement[Any] = column
        """What is sorted by; never null."""
        if column.nullable:
            self.key = func.coalesce(column, self._kind.empty)
        if column.type.python_type is str:
            start = func.substr(self.key, 1, SORTED_CHARACTERS, type_=String)
            self.key = collate(start, collation)

    @property
    def noun(self) -> str:
        """What its values are, for people."""
        return self._kind.noun

    def shows(self, text: str) -> ColumnElement[bool]:
        """That a message shows the value which the text stands for. Raises ValueError."""
        value = self._kind.parse(text)
        lowest, highest = self._kind.alike(value)
        if lowest == highest:
            shown: ColumnElement[bool] = self._column == value
        else:
            shown = self._column.between(lowest, highest)
        return or_(self._column.is_(None), shown) if value == self._kind.empty else shown

    def place(self, record: Record) -> str:
        """The record's value of `key`, as a text."""
        value = getattr(record, self._column.key)
        text = self._kind.text(self._kind.empty if value is None else value)
        return text[:SORTED_CHARACTERS]

    def at(self, place: str) -> Any:
        """The value of `key` that `place` has written. Raises ValueError."""
        return self._kind.parse(place)


def _text(text: str) -> str:
    text.encode()
    if "\0" in text:
        raise ValueError("no text of a table has a NUL in it")
    return text


def _integer(text: str) -> int:
    value = int(text)
    if not -(2**31) <= value < 2**31:
        raise ValueError(f"{value} has more than 32 bits")
    return value


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{value} is not finite")
    return value


def _about(number: float) -> tuple[float, float]:
    margin = abs(number) * _SAME_NUMBER
    return number - margin, number + margin


def _millisecond(time: datetime) -> tuple[datetime, datetime]:
    start = time.replace(microsecond=time.microsecond // 1000 * 1000)
    return start, start.replace(microsecond=start.microsecond + 999)


_KINDS: dict[type, _Kind] = {
    str: _Kind("a text", "", _text),
    int: _Kind("a whole number of 32 bits", 0, _integer),
    float: _Kind("a finite number", 0.0, _number, repr, _about),
    datetime: _Kind("an RFC 3339 time", None, table_time, datetime.isoformat, _millisecond),
}
