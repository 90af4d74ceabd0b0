"""The way to the workspace, on which requests and answers get lost or come late."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

_LATE = 1.5
"""How long a request or an answer is held at the most, in times of what its sender waits: less than
the twice that the studio takes for the longest."""
_CREATING = 3
"""How many times as often a request that creates something meets a fault."""


class Fault(StrEnum):
    """What happens to one request."""

    REFUSED = "refused"
    HELD = "held, and served when its sender is gone"
    CUT = "served, and its answer cut"
    SLOW = "answered late"


class Proxy:
    """Passes HTTP requests on, one a connection, and lets a share of them meet a fault.

    `upstream` is asked for each request, as the workspace may come back somewhere else; `waited` is
    how many seconds its callers wait for an answer.
    """

    def __init__(
        self, upstream: Callable[[], str], dice: random.Random, share: float, waited: float
    ) -> None:
        self.share = share
        self.met: Counter[Fault] = Counter()
        self._upstream = upstream
        self._dice = dice
        self._waited = waited
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._pass_on(await _request(reader), writer)
        finally:
            writer.close()

    async def _pass_on(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        fault = self._fault(request.startswith(b"POST"))
        if fault is Fault.REFUSED:
            return
        if fault is Fault.HELD:
            await self._hold(1.0)
        answer = await self._answer(request)
        if fault is Fault.SLOW:
            await self._hold(0.0)
        if fault is Fault.CUT:
            answer = answer[: self._dice.randrange(len(answer) or 1)]
        writer.write(answer)
        await writer.drain()

    def _fault(self, creates: bool) -> Fault | None:
        if self._dice.random() >= self.share * (_CREATING if creates else 1):
            return None
        fault = self._dice.choice(list(Fault))
        self.met[fault] += 1
        return fault

    async def _hold(self, least: float) -> None:
        await asyncio.sleep(self._dice.uniform(least, _LATE) * self._waited)

    async def _answer(self, request: bytes) -> bytes:
        address = urlsplit(self._upstream())
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            writer.write(request)
            return await reader.read()
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head[:-4].split(b"\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
    body = await reader.readexactly(int(fields.get(b"content-length", b"0")))
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([first, *kept, b"Connection: close", b"", body])
