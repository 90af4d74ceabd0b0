"""Serves a service of the contract with plain coroutines.

A servicer has one method for each RPC, named like it. It takes the request, and returns the
response (an async iterator of them for a stream) or raises a `chassis.rpc.errors.Refusal`.
Everything around that (deadline, request id, log line, translation of errors) happens here, for
unary and streaming calls alike.

Generated base classes are not used, because a list is answered with cached serialized bytes,
which a generated serializer does not let through.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import grpc
import structlog
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc import aio

from chassis.rpc import context, errors, requests, translate
from chassis.rpc.peers import PeerRefusal
from ft.channel import MAX_MESSAGE_BYTES

log = structlog.get_logger()

Context = aio.ServicerContext[Any, Any]
Parse = Callable[[bytes], Any]
STREAM_SECONDS = 86_400.0
"""Deadline of a stream whose caller set none: following a job may take as long as the job."""


class InFlight:
    """Counts calls being served, so that a shutdown can wait for the last one."""

    def __init__(self) -> None:
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Counts for as long as the block runs."""
        self._count += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._idle.set()

    async def drained(self, seconds: float) -> None:
        """Returns when no call is in flight, at the latest after `seconds`."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            log.warning("calls cut off at the end of the grace period", calls=self._count)


class RpcDispatcher:
    """Runs handlers with everything that stands around each of them."""

    def __init__(self, deadline_seconds: float, max_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self.in_flight = InFlight()
        self._deadline_seconds = deadline_seconds
        self._max_bytes = max_bytes

    def unary(
        self, method: str, behaviour: Callable[[Any], Awaitable[Any]], parse: Parse = bytes
    ) -> Callable[[bytes, Context], Awaitable[bytes]]:
        """A gRPC handler for a call with one response, which it serializes.

        `parse` makes the request of the bytes that came in; by default it is those bytes.
        """

        async def handler(data: bytes, grpc_context: Context) -> bytes:
            self._arrive(grpc_context, self._deadline_seconds)
            with self.in_flight.counted():
                try:
                    answer = serialize(await behaviour(parse(data)))
                    if len(answer) > self._max_bytes:
                        # gRPC's own refusal does not say what to do.
                        raise errors.ResourceExhausted(
                            f"the answer of {method} has {len(answer)} bytes; {self._max_bytes} "
                            "are allowed. Request a list page by page, or an export by "
                            "StreamExport",
                            reason="ANSWER_TOO_LARGE",
                        )
                    return answer
                except Exception as error:
                    await self._refuse(method, grpc_context, error)

        return handler

    def stream(
        self, method: str, behaviour: Callable[[Any], AsyncIterator[Any]], parse: Parse = bytes
    ) -> Callable[[bytes, Context], AsyncIterator[Any]]:
        """A gRPC handler for a call with a stream of responses; `parse` as in `unary`."""

        async def handler(data: bytes, grpc_context: Context) -> AsyncIterator[Any]:
            self._arrive(grpc_context, STREAM_SECONDS)
            with self.in_flight.counted():
                try:
                    async for response in behaviour(parse(data)):
                        yield response
                except Exception as error:
                    await self._refuse(method, grpc_context, error)

        return handler

    def _arrive(self, grpc_context: Context, deadline_seconds: float) -> None:
        call = context.incoming(
            grpc_context.invocation_metadata(), grpc_context.time_remaining(), deadline_seconds
        )
        structlog.contextvars.bind_contextvars(request_id=call.request_id, caller=call.caller)

    async def _refuse(self, method: str, grpc_context: Context, error: Exception) -> NoReturn:
        if isinstance(error, aio.AbortError):
            raise error
        if isinstance(error, PeerRefusal):
            await translate.pass_on(grpc_context, error.error, error.peer)
        if isinstance(error, errors.Refusal):
            message = translate.brief(error.message)
            log.info("refused", method=method, reason=error.code_reason, message=message)
            await translate.abort(grpc_context, error)
        log.error("unforeseen error", method=method, exc_info=error)
        await translate.abort(
            grpc_context,
            errors.Internal(f"{method} failed unexpectedly; the service's log says why"),
        )


def handlers(
    service: ServiceDescriptor,
    servicer: object,
    dispatcher: RpcDispatcher,
    only: Container[str] | None = None,
) -> "grpc.GenericRpcHandler[Any, Any]":
    """Serves every RPC of the service, or `only` some, by the servicer's method of that name.

    Raises AttributeError if the servicer lacks one.
    """
    return grpc.method_handlers_generic_handler(
        service.full_name,
        {
            method.name: _handler(method, getattr(servicer, method.name), dispatcher)
            for method in service.methods
            if only is None or method.name in only
        },
    )


def _handler(
    method: MethodDescriptor, behaviour: Callable[[Any], Any], dispatcher: RpcDispatcher
) -> "grpc.RpcMethodHandler[Any, Any]":
    # Parsed by the dispatcher: what gRPC's own deserializer refuses leaves as INTERNAL.
    parse = requests.parser(GetMessageClass(method.input_type))
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(
            dispatcher.stream(method.name, behaviour, parse), response_serializer=serialize
        )
    return grpc.unary_unary_rpc_method_handler(dispatcher.unary(method.name, behaviour, parse))


def serialize(response: Message | bytes) -> bytes:
    """The response on the wire; bytes are serialized already."""
    return response if isinstance(response, bytes) else response.SerializeToString()
