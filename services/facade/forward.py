"""Forwards serialized requests to the domains, without parsing them."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
from grpc import StatusCode

from chassis.rpc.dispatch import RpcDispatcher
from chassis.rpc.errors import Unavailable
from chassis.rpc.peers import PeerChannel, PeerRefusal
from services.facade.routes import Route


def forwarded(
    routes: Sequence[Route], links: Mapping[str, PeerChannel], dispatcher: RpcDispatcher
) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
    """A handler for each route, by name of method."""
    return {
        route.method.name: _handler(route, [links[name] for name in route.domains], dispatcher)
        for route in routes
    }


def _handler(
    route: Route, links: Sequence[PeerChannel], dispatcher: RpcDispatcher
) -> "grpc.RpcMethodHandler[Any, Any]":
    name = route.method.name
    if route.method.server_streaming:
        streamed = dispatcher.stream(name, _stream(name, links))
        return grpc.unary_stream_rpc_method_handler(streamed)
    answered = dispatcher.unary(name, _unary(name, links))
    return grpc.unary_unary_rpc_method_handler(answered)


def _unary(method: str, links: Sequence[PeerChannel]) -> Callable[[bytes], Any]:
    async def forward(request: bytes) -> bytes:
        refusals = _Refusals()
        for link in links:
            with refusals.kept():
                return await link.send(method, request)
        raise refusals.answer

    return forward


def _stream(method: str, links: Sequence[PeerChannel]) -> Callable[[bytes], AsyncIterator[bytes]]:
    async def forward(request: bytes) -> AsyncIterator[bytes]:
        refusals = _Refusals()
        for link in links:
            with refusals.kept():
                async for answer in link.stream(method, request):
                    yield answer
                return
        raise refusals.answer

    return forward


class _Refusals:
    """What is answered where no domain knows an id, or a token: that, unless a domain is away,
    which may know it."""

    def __init__(self) -> None:
        self._away: Unavailable | None = None
        self._unknown: PeerRefusal | None = None

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keeps a refusal after which the next domain is to be asked; others pass."""
        try:
            yield
        except Unavailable as away:
            self._away = self._away or away
        except PeerRefusal as refusal:
            if refusal.error.code() not in (StatusCode.NOT_FOUND, StatusCode.UNAUTHENTICATED):
                raise
            self._unknown = refusal

    @property
    def answer(self) -> Exception:
        """The refusal to answer with once every domain was asked."""
        answer = self._away or self._unknown
        assert answer is not None  # there is no route without a domain
        return answer
