"""Calls to the other services, by an address from the environment."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from grpc import aio

from chassis.config import Settings
from chassis.rpc import context, errors, rules, translate
from ft.channel import channel_options

Stub = TypeVar("Stub")
Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
T = TypeVar("T")


class PeerRefusal(Exception):
    """Error that a peer returned, unchanged, to be passed on to the caller."""

    def __init__(self, error: aio.AioRpcError, peer: str) -> None:
        super().__init__(str(error.details()))
        self.error = error
        self.peer = peer

    def typed(self) -> errors.Refusal:
        """Returns it as a refusal of this process."""
        return translate.from_rpc_error(self.error, self.peer)


class PeerChannel:
    """A channel to one service, opened at its first use.

    Waits a little for a service that is away, since a restart takes less than a second, and then
    says so by name rather than let the caller run into its deadline.
    """

    def __init__(self, name: str, settings: Settings, service: ServiceDescriptor) -> None:
        self.name = name
        self.service = service
        self.deadline_seconds = settings.deadline_seconds
        self._wait_seconds = settings.peer_wait_seconds
        self._address = settings.address_of(name)
        self._channel: aio.Channel | None = None

    @property
    def grpc_channel(self) -> aio.Channel:
        """The channel; must be asked for on the event loop."""
        if self._channel is None:
            self._channel = aio.insecure_channel(
                self._address, options=channel_options(self.service)
            )
        return self._channel

    async def ready(self, call: context.CallContext) -> None:
        """Returns once the service is connected.

        Raises Unavailable, naming it, after the wait for a peer or the call's own deadline.
        """
        if self.grpc_channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.READY:
            return
        try:
            async with asyncio.timeout(min(self._wait_seconds, call.remaining())):
                await self.grpc_channel.channel_ready()
        except TimeoutError:
            raise translate.away(self.name) from None

    async def send(self, method: str, request: bytes) -> bytes:
        """The serialized answer to a serialized request.

        Raises PeerRefusal with what the service answered, and Unavailable when it cannot be
        reached.
        """
        call = context.current(self.deadline_seconds)
        await self.ready(call)
        rpc: Any = self.grpc_channel.unary_unary(f"/{self.service.full_name}/{method}", None, None)
        try:
            answer: bytes = await rpc(request, timeout=call.remaining(), metadata=call.metadata())
        except aio.AioRpcError as error:
            raise PeerRefusal(error, self.name) from None
        return answer

    async def stream(self, method: str, request: bytes) -> AsyncGenerator[bytes, None]:
        """The serialized answers to a serialized request. Raises as `send` does."""
        call = context.current(self.deadline_seconds)
        await self.ready(call)
        rpc: Any = self.grpc_channel.unary_stream(f"/{self.service.full_name}/{method}", None, None)
        answers = rpc(request, timeout=call.remaining(), metadata=call.metadata())
        try:
            async for answer in answers:
                yield answer
        except aio.AioRpcError as error:
            raise PeerRefusal(error, self.name) from None
        finally:
            # An abandoned call is never collected, so the service would go on streaming to it.
            answers.cancel()

    async def close(self) -> None:
        """Closes the channel if there is one."""
        if self._channel is not None:
            await self._channel.close(None)


class Peer(Generic[Stub]):
    """Typed calls to one service: `await peer(lambda s: s.GetModel, GetModelRequest(id=i))`."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        service: ServiceDescriptor,
        stub: Callable[[aio.Channel], Stub],
    ) -> None:
        self.channel = PeerChannel(name, settings, service)
        self.close = self.channel.close
        self._make_stub = stub
        self._stub: Stub | None = None

    async def __call__(
        self,
        rpc: "Callable[[Stub], aio.UnaryUnaryMultiCallable[Request, Response]]",
        request: Request,
    ) -> Response:
        """The peer's answer, within what is left of the current call's deadline.

        Raises what the peer raised, and Unavailable, naming it, when it cannot be reached.
        """
        call = context.current(self.channel.deadline_seconds)
        await self.channel.ready(call)
        if self._stub is None:
            self._stub = self._make_stub(self.channel.grpc_channel)
        send = rpc(self._stub)
        try:
            return await send(request, timeout=call.remaining(), metadata=call.metadata())
        except aio.AioRpcError as error:
            raise translate.from_rpc_error(error, self.channel.name) from None


async def referred(field: str, lookup: Awaitable[T]) -> T:
    """The thing that `field` of a request refers to.

    Raises FailedPrecondition, naming the field, if it does not exist.
    """
    try:
        return await lookup
    except errors.NotFound as error:
        raise errors.FailedPrecondition.at(
            field, rules.REFERENCE_EXISTS, error.message, reason="REFERENCE_NOT_FOUND"
        ) from None


async def all_ended(*calls: Awaitable[T]) -> list[T]:
    """Awaits calls in parallel and returns their results, in order.

    Raises the first error, once none of the calls is under way any more.
    """
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]


async def all_referred(*lookups: Awaitable[Any]) -> list[Any]:
    """Awaits lookups in parallel and returns their results, in order.

    Raises FailedPrecondition naming every reference that fails, and what else one of them raises,
    such as Unavailable for an owner that is away, before that.
    """
    outcomes = await asyncio.gather(*lookups, return_exceptions=True)
    failed = [one for one in outcomes if isinstance(one, BaseException)]
    for failure in failed:
        if not (isinstance(failure, errors.FailedPrecondition) and failure.violations):
            raise failure
    refused = [one for one in failed if isinstance(one, errors.FailedPrecondition)]
    if refused:
        raise errors.FailedPrecondition.of(
            [violation for one in refused for violation in one.violations], refused[0].code_reason
        )
    return outcomes
