"""What `docs/api/unset.toml` says of fields that are not set, and requests that leave them out."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from ft import services
from tests.support import REPOSITORY

METHODS = list(services.METHODS.values())
SAID: Mapping[str, Mapping[str, str]] = tomllib.loads(
    (REPOSITORY / "docs/api/unset.toml").read_text()
)
LISTS = "lists"
_REFUSED = re.compile(r"(required|refused) \((?P<rule>FT-\d{3})\)")
_CODES = ("NOT_FOUND", "UNAUTHENTICATED")


@dataclass(frozen=True)
class Case:
    """One field that is left out, or 0, and what comes of it."""

    rpc: str
    field: str
    """With dots within messages of the request."""
    when: str
    """`0` where it is set to that, else what kind of request it is; empty in general."""
    outcome: str

    def __str__(self) -> str:
        return "-".join(filter(None, (self.rpc, self.field, self.when)))

    @property
    def rule(self) -> str:
        """Id of the rule that it breaks; empty if it breaks none."""
        refused = _REFUSED.fullmatch(self.outcome)
        return refused["rule"] if refused else ""

    @property
    def code(self) -> str:
        """Name of the status code of a refusal without a field; empty for none."""
        return self.outcome if self.outcome in _CODES else ""

    def of(self, request: Message) -> Message:
        """The request with the field left out, or 0."""
        changed = type(request)()
        changed.CopyFrom(request)
        *outer, name = self.field.split(".")
        message: Any = changed
        for one in outer:
            message = getattr(message, one)
            message = message if isinstance(message, Message) else message[0]
        message.ClearField(name)
        if self.when == "0":
            value = getattr(message, name)
            value.SetInParent() if isinstance(value, Message) else setattr(message, name, 0)
        return changed


def cases() -> Iterator[Case]:
    """Every case that is written down."""
    for method in METHODS:
        for field, said in said_of(method.input_type).items():
            general, *others = said.split(" | ")
            yield Case(method.name, field, "", general)
            for other in others:
                when, _, outcome = other.partition(": ")
                yield Case(method.name, field, when, outcome)


def said_of(request: Descriptor) -> dict[str, str]:
    """What is written down of a request's fields."""
    listed = SAID[LISTS] if set(SAID[LISTS]) <= set(request.fields_by_name) else {}
    return {**listed, **SAID.get(request.name, {})}


def fields_of(request: Descriptor, within: str = "") -> Iterator[str]:
    """Every field of a request, and of the messages in it but whole requests."""
    for field in request.fields:
        name = f"{within}{field.name}"
        yield name
        inner = field.message_type
        if inner and not inner.GetOptions().map_entry and not inner.name.endswith("Request"):
            yield from fields_of(inner, f"{name}.")


def with_presence(request: Descriptor, name: str) -> bool:
    """Whether a message tells a field that is 0 from one that is not set."""
    field = _field(request, name)
    assert field is not None
    if field.message_type is not None:
        # Of one that has nothing in it.
        return field.has_presence and field.message_type.name == "RetryPolicy"
    return field.has_presence


def names_a_field(request: Descriptor, path: str) -> bool:
    """Whether that is the name of a field of the request, or of one within it."""
    return _field(request, re.sub(r"\[[^]]*\]", "", path)) is not None


def _field(request: Descriptor, name: str) -> FieldDescriptor | None:
    message: Descriptor | None = request
    field = None
    for part in name.split("."):
        field = message.fields_by_name.get(part) if message is not None else None
        if field is None:
            return None
        message = field.message_type
    return field
