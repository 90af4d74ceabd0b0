"""From bytes to a request, with the checks that every request of every service must pass."""

import hashlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from chassis.rpc import names, rules
from chassis.rpc.errors import InvalidArgument, Violations
from ft.services import SERVICES

M = TypeVar("M", bound=Message)

MAX_TEXT_CHARACTERS = 65_536
"""Longest text in a request. Texts end up in lists, whose size is limited as a whole, and in the
environment of jobs, where Linux takes no more than 128 KiB each."""
MAX_ID_CHARACTERS = 256
"""Longest id that a client chooses: it is kept in an index, whose entries have a limit of their own
in PostgreSQL."""
MAX_NAME_BYTES = 2048
"""Longest name, for the same reason: one that did not fit would take along what others write in the
same commit."""
_CHOSEN_IDS = ("request_id", "prompt.id")
_NAMES = ("name", "adapter_name")
"""Last parts of fields whose values tables keep an index of."""
_GIVEN = (
    "name",
    "prompt.name",
    "prompt.id",
    "adapter_name",
    "model_name",
    "huggingface_name",
    "location",
    "artifact_location",
    "output_dir",
    "user_script",
)
"""Fields by which clients give names and places to what they add."""
_PUBLIC = frozenset(service.file.name for service in SERVICES)
"""Files of the contract: services hand each other records whose names are older than the rule."""
_UNLIMITED = ("exported_json", "rows_json")
"""Fields that carry many records."""


def parser(kind: type[M]) -> Callable[[bytes], M]:
    """Makes requests of that kind.

    What it returns raises InvalidArgument for what is not a message (not well-formed, or text that
    is not UTF-8), and for text that is too long or, having a NUL in it, cannot be stored.
    """
    public = kind.DESCRIPTOR.file.name in _PUBLIC
    fields = kind.DESCRIPTOR.fields_by_name
    names_things = public and any(place.partition(".")[0] in fields for place in _GIVEN)

    def parse(data: bytes) -> M:
        try:
            request = kind.FromString(data)
        except DecodeError as error:
            raise InvalidArgument(
                f"the request is not a {kind.DESCRIPTOR.name}: {error}",
                reason="MALFORMED_REQUEST",
                rule=rules.WELL_FORMED.id,
            ) from None
        if not names_things and len(data) <= MAX_ID_CHARACTERS and b"\0" not in data:
            # Most requests: none of its texts is longer than the whole, which fits the least limit.
            return request
        found = Violations()
        for place, text in _texts(request, ""):
            nul = "\0" in text
            found.check(place, rules.NO_NUL, not nul, "must not contain a NUL character")
            if public and not nul and place in _GIVEN:
                # Blanks around a name are no part of it.
                description = names.hidden(text.strip(" \t\r\n"))
                found.check(place, rules.PLAIN_NAME, not description, description)
            limit = MAX_ID_CHARACTERS if place in _CHOSEN_IDS else MAX_TEXT_CHARACTERS
            description = f"has {len(text)} characters; {limit} are allowed"
            fits = found.check(place, rules.TEXT_LENGTH, len(text) <= limit, description)
            if fits and place.rpartition(".")[2] in _NAMES:
                size = len(text.encode())
                description = f"has {size} bytes in UTF-8; {MAX_NAME_BYTES} are allowed"
                found.check(place, rules.TEXT_LENGTH, size <= MAX_NAME_BYTES, description)
        found.raise_if_any()
        return request

    return parse


def digest(request: Message, *but: str) -> str:
    """Equal for requests that say the same in all fields `but` some."""
    rest = type(request)()
    rest.CopyFrom(request)
    for field in but:
        rest.ClearField(field)
    content = rest.DESCRIPTOR.full_name.encode() + rest.SerializeToString(deterministic=True)
    return hashlib.sha256(content).hexdigest()


def _texts(message: Message, prefix: str) -> Iterator[tuple[str, str]]:
    """Every limited text that is set, with the name of its field."""
    for field, value in message.ListFields():
        if field.name in _UNLIMITED:
            continue
        place = f"{prefix}{field.name}"
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for key, one in value.items():
                # A key may be too long to name the field by.
                yield from ((place, key), (f"{place}[{key[:40]!r}]", one))
            continue
        values = enumerate(value) if field.is_repeated else ((None, value),)
        for number, one in values:
            at = place if number is None else f"{place}[{number}]"
            if field.type == FieldDescriptor.TYPE_STRING:
                yield at, one
            elif field.type == FieldDescriptor.TYPE_MESSAGE:
                yield from _texts(one, f"{at}.")
