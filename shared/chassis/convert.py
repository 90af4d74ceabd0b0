"""Records to messages: fields of the same name, unset where a column is null."""

from typing import TypeVar

from google.protobuf.message import Message

from chassis.records import Base

M = TypeVar("M", bound=Message)


def to_message(kind: type[M], record: Base) -> M:
    """A message with every field that the record has a value for under the same name."""
    columns = record.table().columns
    values = {
        field.name: value
        for field in kind.DESCRIPTOR.fields
        if field.name in columns and (value := getattr(record, field.name)) is not None
    }
    return kind(**values)
