"""Forwards serialized requests to the domains, without parsing them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import grpc
from grpc import StatusCode

from chassis.rpc import context
from chassis.rpc.dispatch import RpcDispatcher
from chassis.rpc.errors import Unavailable
from chassis.rpc.peers import PeerChannel, PeerRefusal
from ft.domains import DOMAIN_OF_KIND
from services.facade.routes import Route


def forwarded(
    routes: Sequence[Route], channels: Mapping[str, PeerChannel], dispatcher: RpcDispatcher
) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
    """A handler for each route, by name of method."""
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for route in routes:
        name = route.method.name
        asked = {domain: channels[domain] for domain in route.domains}
        # One domain's refusal is the answer: nothing is needed between the two calls.
        only = channels[route.domains[0]]
        send: Callable[[bytes], Awaitable[bytes]] = partial(only.send, name)
        stream: Callable[[bytes], AsyncIterator[bytes]] = partial(only.stream, name)
        if len(asked) > 1:
            forwarder = Forwarder(name, asked)
            send, stream = forwarder.unary, forwarder.stream
        if route.method.server_streaming:
            streamed = dispatcher.stream(name, stream)
            handlers[name] = grpc.unary_stream_rpc_method_handler(streamed)
        else:
            answered = dispatcher.unary(name, send)
            handlers[name] = grpc.unary_unary_rpc_method_handler(answered)
    return handlers


class Forwarder:
    """Forwards the calls of one RPC that several domains answer.

    Each is asked until one knows the id, or the token. A job names its kind: then the domain that
    owns such jobs is asked first. That is a hint and no more. If that domain does not know the job,
    the others are asked as well.
    """

    def __init__(self, method: str, channels: Mapping[str, PeerChannel]) -> None:
        self._method = method
        self._channels = channels

    async def unary(self, request: bytes) -> bytes:
        """The answer to a call with one response."""
        refusals = Refusals()
        for channel in self._in_order(refusals):
            with refusals.collected():
                return await channel.send(self._method, request)
        raise refusals.answer

    async def stream(self, request: bytes) -> AsyncIterator[bytes]:
        """The answers to a call with a stream of responses."""
        refusals = Refusals()
        for channel in self._in_order(refusals):
            with refusals.collected():
                async for answer in channel.stream(self._method, request):
                    yield answer
                return
        raise refusals.answer

    def _in_order(self, refusals: "Refusals") -> Iterator[PeerChannel]:
        owner = DOMAIN_OF_KIND.get(context.current(0).job_kind, "")
        if owner in self._channels:
            yield self._channels[owner]
            if refusals.away is not None:
                # Only this domain may know the job, and the job reports again later.
                raise refusals.away
        for name, channel in self._channels.items():
            if name != owner:
                yield channel


class Refusals:
    """Refusals of the domains that were asked, and the one to answer with."""

    def __init__(self) -> None:
        self.away: Unavailable | None = None
        """Refusal of the first domain that could not be reached."""
        self._unknown: PeerRefusal | None = None

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Collects a refusal after which the next domain is to be asked; others pass."""
        try:
            yield
        except Unavailable as away:
            self.away = self.away or away
        except PeerRefusal as refusal:
            if refusal.error.code() not in (StatusCode.NOT_FOUND, StatusCode.UNAUTHENTICATED):
                raise
            self._unknown = refusal

    @property
    def answer(self) -> Exception:
        """The refusal to answer with once every domain was asked.

        A domain that is away may know the id, so its refusal comes before those of the others.
        """
        answer = self.away or self._unknown
        assert answer is not None  # there is no route without a domain
        return answer
