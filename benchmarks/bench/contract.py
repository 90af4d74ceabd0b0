"""Names of the studio's code that the benchmark uses. No other module of it imports the studio."""

from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.rpc.server import server_options
from ft import api
from ft.channel import MAX_DOCUMENT_BYTES, channel_options
from ft.client import AsyncFineTuningStudioClient as AsyncClient
from ft.client import FineTuningStudioClient as Client
from ft.services import METHODS, SERVICES

__all__ = [
    "AsyncClient",
    "Client",
    "answer_class",
    "api",
    "client_options",
    "path_of",
    "server_options",
]


def client_options() -> list[tuple[str, Any]]:
    """Options of a channel as the studio's own client has them."""
    return channel_options(*SERVICES, max_bytes=MAX_DOCUMENT_BYTES)


def path_of(rpc: str) -> str:
    """Path of a public RPC on the wire."""
    method = METHODS[rpc]
    assert method.containing_service is not None
    return f"/{method.containing_service.full_name}/{rpc}"


def answer_class(rpc: str) -> type[Message]:
    """Message class of an RPC's answer."""
    return GetMessageClass(METHODS[rpc].output_type)
