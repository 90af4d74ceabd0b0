"""What both clients offer, held against the contract and against each other."""

import inspect
import typing
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor

from ft import api
from ft.client import AsyncFineTuningStudioClient, FineTuningStudioClient
from ft.services import METHODS, SERVICES, STUDIO

Client = type[FineTuningStudioClient] | type[AsyncFineTuningStudioClient]
LISTS = [method.name for method in STUDIO.methods if method.name.startswith("List")]

both = pytest.mark.parametrize(
    "kind", [FineTuningStudioClient, AsyncFineTuningStudioClient], ids=["sync", "async"]
)


def awaits(kind: Client) -> bool:
    return kind is AsyncFineTuningStudioClient


def items_of(method: MethodDescriptor) -> tuple[str, Any]:
    [items] = (field for field in method.output_type.fields if field.is_repeated)
    return items.name, getattr(api, items.message_type.name)


def test_rpc_names_are_unique_across_services() -> None:
    assert len(METHODS) == sum(len(service.methods) for service in SERVICES)
    assert len(STUDIO.methods) == 32


@both
@pytest.mark.parametrize("name", METHODS)
def test_rpc_types_are_those_of_the_contract(kind: Client, name: str) -> None:
    function, method = getattr(kind, name), METHODS[name]
    response = getattr(api, method.output_type.name)
    if not method.server_streaming:
        assert inspect.iscoroutinefunction(function) == awaits(kind)
    elif awaits(kind):
        response = AsyncGenerator[response, None]
    else:
        response = Generator[response, None, None]
    assert typing.get_type_hints(function) == {
        "request": getattr(api, method.input_type.name),
        "timeout": float | None,
        "return": response,
    }
    assert function.__doc__


@both
@pytest.mark.parametrize("name", LISTS)
def test_lists_come_at_once_and_page_by_page(kind: Client, name: str) -> None:
    items, item = items_of(METHODS[name])
    get, iterate = getattr(kind, f"get_{items}"), getattr(kind, f"iter_{items}")
    assert typing.get_type_hints(get) == {"return": list[item]}
    assert inspect.iscoroutinefunction(get) == awaits(kind)
    hints = typing.get_type_hints(iterate)
    assert hints["return"] == (AsyncIterator[item] if awaits(kind) else Iterator[item])
    fields = set(METHODS[name].input_type.fields_by_name)
    assert set(hints) - {"return"} == fields - {"page_token"}


def test_clients_take_the_same_arguments() -> None:
    names = public(FineTuningStudioClient)
    assert names == public(AsyncFineTuningStudioClient) - {"channel", "stub"}
    for name in names | {"__init__"}:
        blocking, awaiting = (
            inspect.signature(getattr(kind, name))
            for kind in (FineTuningStudioClient, AsyncFineTuningStudioClient)
        )
        assert blocking.parameters == awaiting.parameters, name


def public(kind: Client) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}
