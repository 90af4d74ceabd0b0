"""Conversion of rows of a table into messages."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from sqlalchemy import Table, bindparam, select

from chassis.store.convert import rfc3339
from chassis.store.statements import Statement

M = TypeVar("M", bound=Message)
Values = Mapping[str, Any]
"""Values of columns by name; times are as messages have them, in whole milliseconds."""


class MessageForm(Generic[M]):
    """Makes messages of one kind of rows, reading only the columns that they need.

    A field has the value of the column of its name, and is not set if that is null. `but` names
    fields that stay unset. `more` returns further fields; it gets the columns in `needs` as well.
    """

    def __init__(
        self,
        kind: type[M],
        table: Table,
        but: Collection[str] = (),
        needs: Iterable[str] = (),
        more: Callable[[Values], dict[str, Any]] | None = None,
    ) -> None:
        self._kind = kind
        self._more = more
        fields = [
            field.name
            for field in kind.DESCRIPTOR.fields
            if field.name in table.columns and field.name not in but and not field.is_repeated
        ]
        names = list(dict.fromkeys([*fields, *needs]))
        self._names = names
        self.columns = [table.columns[name] for name in names]
        """Columns of the rows that messages are made of, in this order."""
        self.fields = len(fields)
        """Number of columns, from the first, that messages show as they are."""
        self._times = [
            number
            for number, column in enumerate(self.columns)
            if column.type.python_type is datetime
        ]
        self.by_id = Statement(select(*self.columns).where(table.c.id == bindparam("id")))
        """Finds the row with an `id`."""

    def message(self, row: Sequence[Any]) -> M:
        """Returns the message of a row, whose first values are those of `columns`."""
        values = dict(zip(self._names, row, strict=False))
        for number in self._times:
            if row[number] is not None:
                values[self._names[number]] = rfc3339(row[number])
        if self._more is None:
            return self._kind(**values)
        more = self._more(values)
        for name in self._names[self.fields :]:
            del values[name]
        return self._kind(**values, **more)

    def of_record(self, record: object) -> M:
        """Returns the message of a record of the table."""
        return self.message([getattr(record, name) for name in self._names])
