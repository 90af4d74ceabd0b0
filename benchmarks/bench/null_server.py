"""Null servers: raw bytes through gRPC, with the studio's options and nothing else.

python -m benchmarks.bench.null_server ADDRESS            answers
python -m benchmarks.bench.null_server ADDRESS BACKEND    forwards to the one that answers

`/bench.Null/Answer30000` is answered with 30,000 bytes. Both print the address that they listen on.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import uvloop
from grpc import aio

from benchmarks.bench.contract import client_options, server_options
from benchmarks.bench.settings import ANSWER_SIZES

SERVICE = "bench.Null"
Handler = Callable[[bytes, Any], Awaitable[bytes]]


def answering(size: int) -> Handler:
    """A handler that answers with so many bytes."""
    answer = os.urandom(size)

    async def handler(_request: bytes, _context: object) -> bytes:
        return answer

    return handler


def forwarding(channel: aio.Channel, size: int) -> Handler:
    """A handler that sends the bytes on and returns the answer's."""
    call: Any = channel.unary_unary(f"/{SERVICE}/Answer{size}", None, None)

    async def handler(request: bytes, _context: object) -> bytes:
        answer: bytes = await call(request)
        return answer

    return handler


async def serve(address: str, backend: str = "") -> None:
    """Serves until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    channel = aio.insecure_channel(backend, options=client_options()) if backend else None
    handlers = {
        f"Answer{size}": grpc.unary_unary_rpc_method_handler(
            forwarding(channel, size) if channel else answering(size)
        )
        for size in ANSWER_SIZES
    }
    server = aio.server(options=server_options())
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port(address)
    await server.start()
    print(address if address.startswith("unix:") else f"127.0.0.1:{port}", flush=True)
    await stop.wait()
    await server.stop(None)
    if channel is not None:
        await channel.close(None)


if __name__ == "__main__":
    uvloop.run(serve(*sys.argv[1:]))
