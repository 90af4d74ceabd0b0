"""Calls of RPCs, for the blocking and the asynchronous client.

All logic but input and output is written once, as coroutines over `Io`. The `Io` of a blocking
client never suspends, so that `run` completes such a coroutine without an event loop.
"""

# ruff: noqa: ASYNC109  # A deadline travels with the call, to be kept by every hop.

import time
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any, Protocol, TypeVar

import grpc
from grpc import aio

from ft import errors
from ft.channel import may_repeat
from ft.services import FILES, METHODS, SERVICES

T = TypeVar("T")

DEFAULT_TIMEOUT_SECONDS = 60.0
CONNECT_SECONDS = 5.0
"""Seconds to wait for a studio that cannot be reached. A restart takes less than one."""
STREAM_SECONDS = 86_400.0
"""Deadline of a stream without one of its own."""
_REPEATABLE = frozenset(name for name, method in METHODS.items() if may_repeat(method))
"""RPCs whose calls may be sent again."""


def callables(channel: grpc.Channel | aio.Channel) -> dict[str, Callable[..., Any]]:
    """Functions that send a request, by the name of the RPC."""
    found: dict[str, Callable[..., Any]] = {}
    for file, service in zip(FILES, SERVICES, strict=True):
        stub = getattr(import_module(f"ft.proto.{file}_pb2_grpc"), f"{service.name}Stub")(channel)
        found |= {method.name: getattr(stub, method.name) for method in service.methods}
    return found


class Io(Protocol):
    """Input and output of a client."""

    closed: bool
    """True once the client is closed. Calls then fail."""

    async def send(self, name: str, request: Any, seconds: float) -> Any:
        """Calls an RPC by its name, once; gRPC may repeat it. Raises grpc.RpcError."""

    async def connect(self, seconds: float) -> bool:
        """Waits for a connection to the studio's server; False if there is none in time."""

    async def pause(self, seconds: float) -> None:
        """Lets time pass."""


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine that never suspends, and returns its result."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    raise AssertionError("a blocking client has nothing to suspend for")


class Calls:
    """Calls of one client. Raise `errors.StudioError`."""

    def __init__(self, io: Io, address: str, timeout: float) -> None:
        self.address = address
        self.timeout = timeout
        self.io = io

    async def connected(self, seconds: float) -> None:
        """Waits for a connection. Raises UnavailableError if there is none in time."""
        self.require_open()
        if not await self.io.connect(seconds):
            self.require_open()
            raise errors.unreachable(self.address)

    def require_open(self) -> None:
        """Raises CallCancelledError if the client is closed."""
        if self.io.closed:
            raise errors.closed(self.address)

    async def unary(self, name: str, request: Any, timeout: float | None = None) -> Any:
        """Calls an RPC by its name. Sends the request again if that is safe."""
        seconds = self.timeout if timeout is None else timeout
        deadline = time.monotonic() + seconds
        if name not in _REPEATABLE:
            # Sent once only, so it had better not be sent to a server that is just restarting.
            await self.connected(min(CONNECT_SECONDS, seconds))
            return await self._send(name, request, deadline - time.monotonic())
        try:
            return await self._send(name, request, seconds)
        except errors.UnavailableError as error:
            if error.reason != errors.UNREACHABLE:
                raise
        await self.connected(min(CONNECT_SECONDS, deadline - time.monotonic()))
        return await self._send(name, request, deadline - time.monotonic())

    async def _send(self, name: str, request: Any, seconds: float) -> Any:
        self.require_open()
        try:
            return await self.io.send(name, request, seconds)
        except grpc.RpcError as error:
            self.require_open()
            raise errors.from_rpc_error(error, METHODS[name], self.address) from None
