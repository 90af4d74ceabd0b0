"""Records to messages: fields of the same name, unset where a column is null."""

from collections.abc import Container
from typing import TypeVar

from google.protobuf.message import Message

from chassis.records import Base

M = TypeVar("M", bound=Message)


def to_message(kind: type[M], record: Base, but: Container[str] = ()) -> M:
    """A message with every field, `but` some, that the record has a value for under its name."""
    columns = record.table().columns
    values = {
        field.name: value
        for field in kind.DESCRIPTOR.fields
        if field.name in columns
        and field.name not in but
        and (value := getattr(record, field.name)) is not None
    }
    return kind(**values)
