"""Calls over one channel, as raw bytes that are timed or as messages that are not."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any

from google.protobuf.message import Message
from grpc import aio

from benchmarks.bench.contract import answer_class, client_options, path_of
from benchmarks.bench.load import Call

SECONDS = 60.0
"""Deadline of a call."""
AT_ONCE = 16
"""Calls in flight at a time that are not measured."""


class Connection:
    """A channel with the options of the studio's client. Must be made on the event loop."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._channel = aio.insecure_channel(address, options=client_options())

    async def timed(self, path: str, request: bytes) -> Call:
        """Makes a call and times it."""
        return (await self.answered(path, request))[0]

    async def answered(self, path: str, request: bytes) -> tuple[Call, bytes]:
        """Makes a call and times it; also returns the answer."""
        rpc: Any = self._channel.unary_unary(path, None, None)
        begin = time.perf_counter()
        answer: bytes = await rpc(request, timeout=SECONDS)
        return Call(time.perf_counter() - begin, len(answer)), answer

    async def ask(self, rpc: str, request: Message) -> Any:
        """Answer of a public RPC, not timed."""
        _, answer = await self.answered(path_of(rpc), request.SerializeToString())
        return answer_class(rpc).FromString(answer)

    async def ask_all(self, rpc: str, requests: Iterable[Message]) -> None:
        """Sends many requests, some at a time."""
        left = iter(requests)

        async def send() -> None:
            for request in left:
                await self.ask(rpc, request)

        await asyncio.gather(*(send() for _ in range(AT_ONCE)))

    def stream(self, rpc: str, request: Message) -> AsyncIterator[Any]:
        """Answers of a streaming RPC."""
        call: Any = self._channel.unary_stream(path_of(rpc), None, answer_class(rpc).FromString)
        stream: AsyncIterator[Any] = call(request.SerializeToString())
        return stream

    async def close(self) -> None:
        """Ends the connection and every call in flight."""
        await self._channel.close(None)
