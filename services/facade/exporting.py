"""An export: one instant of all domains, as one JSON document in parts."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing

from grpc import StatusCode

from chassis.ids import new_id
from chassis.rpc.peers import PeerChannel, PeerRefusal, all_ended
from ft.proto.tables_pb2 import (
    ExportTablesRequest,
    ExportTablesResponse,
    ReleaseTablesRequest,
)

HOLD_ATTEMPTS = 5
"""How often the domains are asked for one instant, if they do not hold together in time."""


async def export(channels: Mapping[str, PeerChannel]) -> AsyncGenerator[str, None]:
    """The document in parts: `{table: {"schema": text, "data": [row]}}`.

    Every domain holds its writers until all of them do. That moment is what is exported; the rows
    are read from it while the writers go on. On a busy machine a domain may let its writers go on
    before the others hold theirs; then all of them are asked again.

    Raises what a domain answers: Aborted, if there was no common moment in HOLD_ATTEMPTS.
    """
    async with AsyncExitStack() as stack:
        for attempts_left in reversed(range(HOLD_ATTEMPTS)):
            try:
                streams = await _hold(channels, stack)
                break
            except PeerRefusal as error:
                await stack.aclose()
                if error.error.code() is not StatusCode.ABORTED or not attempts_left:
                    raise
        separator = "{"
        for first, stream in streams:
            async for part in _tables(first, stream, separator):
                yield part
            separator = "]}, "
        yield "]}}"


async def _hold(
    channels: Mapping[str, PeerChannel], stack: AsyncExitStack
) -> list[tuple[bytes, AsyncIterator[bytes]]]:
    """Each domain's first part, and those that follow, all of one instant.

    Raises PeerRefusal with ABORTED if a domain did not hold its writers until all of them did.
    """
    id = new_id()
    request = ExportTablesRequest(export_id=id).SerializeToString()
    release = ReleaseTablesRequest(export_id=id).SerializeToString()
    streams = [
        await stack.enter_async_context(aclosing(channel.stream("ExportTables", request)))
        for channel in channels.values()
    ]
    # All have ended before an error is raised: a stream that is being read cannot be closed.
    await all_ended(*(anext(stream) for stream in streams))
    await all_ended(*(channel.send("ReleaseTables", release) for channel in channels.values()))
    # A domain that did not hold long enough says so in place of its first part.
    parts = await all_ended(*(anext(stream) for stream in streams))
    return list(zip(parts, streams, strict=True))


async def _tables(first: bytes, stream: AsyncIterator[bytes], separator: str) -> AsyncIterator[str]:
    """The tables of one domain, of which the last is left open; `separator` goes before the
    first."""
    rows = False
    data: bytes | None = first
    while data is not None:
        part = ExportTablesResponse.FromString(data)
        if part.schema:
            schema = json.dumps(part.schema)
            yield f'{separator}{json.dumps(part.table)}: {{"schema": {schema}, "data": ['
            separator, rows = "]}, ", False
        if part.rows_json:
            yield (", " if rows else "") + part.rows_json
            rows = True
        data = await anext(stream, None)
