"""Requests as domains check them: frozen dataclasses that are read from a message.

A domain declares each field once, in its dataclass. `from_message` reads the fields of the message
by these names, and other code asks `named` and `values` for fields instead of listing them again.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Annotated, Any, Self, get_type_hints

from google.protobuf.descriptor import FieldDescriptor

from chassis.rpc import rules
from chassis.rpc.errors import InvalidArgument, Violations
from chassis.rpc.requests import digest


class Mark:
    """Marks fields of a request, as in `name: Annotated[str, STRIPPED]`."""

    def __init__(self, name: str) -> None:
        self.name = name


STRIPPED = Mark("stripped")
Stripped = Annotated[str, STRIPPED]
"""Type of a text that is read without the blanks around it."""


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Identifies a request that may be sent again; false for one without an id."""

    request_id: str = ""
    """Chosen by the client. Empty if it chose none."""
    digest: str = ""
    """Hash of the other fields of the request."""

    @classmethod
    def of(cls, message: Any) -> Self:
        """Returns the key of a message that has the field `request_id`."""
        return cls(message.request_id, digest(message, "request_id"))

    def __bool__(self) -> bool:
        return bool(self.request_id)

    def require_same(self, digest: str | None, record_id: str) -> None:
        """Raises InvalidArgument if another request with this id has created the record."""
        if digest != self.digest:
            raise InvalidArgument.at(
                "request_id",
                rules.SAME_REQUEST,
                f"{self.request_id!r} was used by another request, which created {record_id!r}; "
                "choose a new id",
                reason="REQUEST_ID_REUSED",
            )


@dataclass(frozen=True, kw_only=True)
class DomainRequest:
    """Base class of the requests that domains check."""

    key: RequestKey = RequestKey()

    @classmethod
    def from_message(cls, message: Any, **given: Any) -> Self:
        """Reads each field from the message's field of the same name, unless it is `given`.

        A field that is not set in the message takes the default of the dataclass if it has one.
        A 32-bit float becomes the shortest decimal that is equal to it.
        """
        known = message.DESCRIPTOR.fields_by_name
        if "request_id" in known:
            given.setdefault("key", RequestKey.of(message))
        stripped = cls.named(STRIPPED)
        for field in fields(cls):
            if field.name in given:
                continue
            has_default = field.default is not MISSING or field.default_factory is not MISSING
            source = known.get(field.name)
            if has_default and (source is None or not _is_set(message, source)):
                continue
            assert source is not None, f"{field.name} is not given"
            value = getattr(message, field.name)
            if source.is_repeated:
                value = dict(value) if isinstance(value, Mapping) else tuple(value)
            elif source.type == FieldDescriptor.TYPE_FLOAT:
                value = decimal(value)
            given[field.name] = value.strip() if field.name in stripped else value
        return cls(**given)

    @classmethod
    @cache
    def named(cls, mark: Mark) -> tuple[str, ...]:
        """Returns the names of the fields with that mark, in their order."""
        hints = get_type_hints(cls, include_extras=True)
        marked = {name for name, hint in hints.items() if mark in getattr(hint, "__metadata__", ())}
        return tuple(field.name for field in fields(cls) if field.name in marked)

    def values(self, names: Iterable[str]) -> dict[str, Any]:
        """Returns the values of those of the names that are fields of the request."""
        wanted = set(names)
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name in wanted}

    def check(self, found: Violations) -> None:
        """Adds each rule that the request breaks by itself, whatever the studio's state is."""
        raise NotImplementedError


def decimal(value: float) -> float:
    """Returns the shortest decimal that is the same 32-bit float: most likely what was written."""
    for digits in range(6, 9):
        shorter = float(f"{value:.{digits}g}")
        if struct.pack("f", shorter) == struct.pack("f", value):
            return shorter
    return value


def _is_set(message: Any, field: FieldDescriptor) -> bool:
    return (
        message.HasField(field.name) if field.has_presence else bool(getattr(message, field.name))
    )
