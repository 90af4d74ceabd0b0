"""The compiled contract against our frozen copy of what clients in the field speak."""

from pathlib import Path

import pytest
from google.protobuf.descriptor import FieldDescriptor

from ft.proto import fine_tuning_studio_jobs_pb2, fine_tuning_studio_pb2
from ft.services import FILES

FROZEN = [
    line.split()
    for line in (Path(__file__).parent / "frozen_wire.txt").read_text().splitlines()
    if not line.startswith("#")
]
CONTRACT = fine_tuning_studio_pb2.DESCRIPTOR
FIRST_ADDED_NUMBER = 100
SCALARS = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_FLOAT: "float",
}


def facts(kind: str) -> list[list[str]]:
    return [fact[1:] for fact in FROZEN if fact[0] == kind]


def type_name(field: FieldDescriptor) -> str:
    if field.message_type is not None:
        assert field.message_type.file is CONTRACT
        return field.message_type.name
    return SCALARS[field.type]


def test_package_and_syntax_are_frozen() -> None:
    assert facts("package") == [[CONTRACT.package]]
    assert facts("syntax") == [["proto3"]]
    assert b"proto3" in CONTRACT.serialized_pb


def test_rpcs_are_exactly_the_frozen_ones() -> None:
    (service,) = CONTRACT.services_by_name.values()
    compiled = [
        [f"{service.name}.{m.name}", m.input_type.name, m.output_type.name] for m in service.methods
    ]
    assert sorted(compiled) == sorted(facts("rpc"))
    assert len(compiled) == 32
    assert not any(m.client_streaming or m.server_streaming for m in service.methods)


def test_messages_are_exactly_the_frozen_ones() -> None:
    assert sorted(CONTRACT.message_types_by_name) == sorted(name for (name,) in facts("message"))


@pytest.mark.parametrize("fact", facts("field"), ids=lambda fact: fact[0])
def test_field_is_frozen(fact: list[str]) -> None:
    place, number, kind, *label = fact
    message, name = place.split(".")
    field = CONTRACT.message_types_by_name[message].fields_by_name[name]
    assert field.number == int(number)
    assert type_name(field) == kind
    assert field.is_repeated == (label == ["repeated"])


def test_added_fields_have_numbers_from_100_up() -> None:
    frozen = {place for place, *_ in facts("field")}
    added = [
        field
        for message in CONTRACT.message_types_by_name.values()
        for field in message.fields
        if f"{message.name}.{field.name}" not in frozen
    ]
    assert added
    assert all(field.number >= FIRST_ADDED_NUMBER for field in added)


def test_messages_and_rpcs_all_have_a_comment() -> None:
    for name in FILES:
        lines = (Path(__file__).parents[2] / "proto" / f"{name}.proto").read_text().splitlines()
        for number, line in enumerate(lines):
            if line.startswith(("message ", "service ")) or line.strip().startswith("rpc "):
                assert lines[number - 1].strip().startswith("//"), f"{name}.proto:{number + 1}"


def test_added_rpcs_are_in_services_of_their_own() -> None:
    services = fine_tuning_studio_jobs_pb2.DESCRIPTOR.services_by_name
    assert list(services) == ["FineTuningStudioJobs"]
