"""The contract as clients in the field know it, built of `frozen_wire.txt` alone.

Imports nothing of the studio: what is made with it is a stranger to our code.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

FACTS = Path(__file__).parent / "frozen_wire.txt"
SCALARS = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "float": FieldDescriptorProto.TYPE_FLOAT,
}


@dataclass(frozen=True)
class Rpc:
    """One RPC with the classes of its messages."""

    service: str
    name: str
    request: Any
    response: Any


class Contract:
    """Message classes and RPCs by name."""

    def __init__(self) -> None:
        self._file = FileDescriptorProto(name="frozen.proto")
        self._rpcs: list[list[str]] = []
        for kind, *fact in _facts():
            getattr(self, f"_{kind}")(*fact)
        pool = DescriptorPool()
        pool.Add(self._file)
        package = self._file.package
        self.messages = {
            message.name: GetMessageClass(pool.FindMessageTypeByName(f"{package}.{message.name}"))
            for message in self._file.message_type
        }
        self.rpcs = {
            method: Rpc(f"{package}.{service}", method, self.messages[takes], self.messages[gives])
            for service, method, takes, gives in self._rpcs
        }

    def _package(self, name: str) -> None:
        self._file.package = name

    def _syntax(self, name: str) -> None:
        self._file.syntax = name

    def _rpc(self, place: str, request: str, response: str) -> None:
        self._rpcs.append([*place.split("."), request, response])

    def _message(self, name: str) -> None:
        self._file.message_type.append(DescriptorProto(name=name))

    def _field(self, place: str, number: str, kind: str, label: str = "") -> None:
        message, name = place.split(".")
        [owner] = (one for one in self._file.message_type if one.name == message)
        field = owner.field.add(name=name, number=int(number))
        repeated = label == "repeated"
        field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
        if kind in SCALARS:
            field.type = SCALARS[kind]
        else:
            field.type, field.type_name = field.TYPE_MESSAGE, f".{self._file.package}.{kind}"


def _facts() -> Iterator[list[str]]:
    for line in FACTS.read_text().splitlines():
        if not line.startswith("#"):
            yield line.split()
