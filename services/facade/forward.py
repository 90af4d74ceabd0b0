"""Forwards serialized requests to the domains, without parsing them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import grpc

from chassis.peers import Link, PeerRefusal
from chassis.rpc import Dispatcher
from services.facade.routes import Route


def forwarded(
    routes: Sequence[Route], links: Mapping[str, Link], dispatcher: Dispatcher
) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
    """A handler for each route, by name of method."""
    return {
        route.method.name: _handler(route, [links[name] for name in route.domains], dispatcher)
        for route in routes
    }


def _handler(
    route: Route, links: Sequence[Link], dispatcher: Dispatcher
) -> "grpc.RpcMethodHandler[Any, Any]":
    name = route.method.name
    if route.method.server_streaming:
        streamed = dispatcher.stream(name, _stream(name, links))
        return grpc.unary_stream_rpc_method_handler(streamed)
    answered = dispatcher.unary(name, _unary(name, links))
    return grpc.unary_unary_rpc_method_handler(answered)


def _unary(method: str, links: Sequence[Link]) -> Callable[[bytes], Any]:
    *others, last = links

    async def forward(request: bytes) -> bytes:
        for link in others:
            try:
                return await link.send(method, request)
            except PeerRefusal as refusal:
                _require_unknown(refusal)
        return await last.send(method, request)

    return forward


def _stream(method: str, links: Sequence[Link]) -> Callable[[bytes], AsyncIterator[bytes]]:
    *others, last = links

    async def forward(request: bytes) -> AsyncIterator[bytes]:
        for link in others:
            try:
                async for answer in link.stream(method, request):
                    yield answer
                return
            except PeerRefusal as refusal:
                _require_unknown(refusal)
        async for answer in last.stream(method, request):
            yield answer

    return forward


def _require_unknown(refusal: PeerRefusal) -> None:
    """Passes the refusal on unless it says that the domain does not know the id, or the token."""
    if refusal.error.code() not in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAUTHENTICATED):
        raise refusal
