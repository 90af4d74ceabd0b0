"""An export: one instant of all domains, as one JSON document in parts."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing

from chassis.ids import new_id
from chassis.rpc.peers import Link
from ft.proto.tables_pb2 import (
    ExportTablesRequest,
    ExportTablesResponse,
    ReleaseTablesRequest,
)


async def export(links: Mapping[str, Link]) -> AsyncGenerator[str, None]:
    """The document in parts: `{table: {"schema": text, "data": [row]}}`.

    Every domain holds its writers until all of them do. That moment is what is exported; the rows
    are read from it while the writers go on.
    """
    id = new_id()
    request = ExportTablesRequest(export_id=id).SerializeToString()
    release = ReleaseTablesRequest(export_id=id).SerializeToString()
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(aclosing(link.stream("ExportTables", request)))
            for link in links.values()
        ]
        await asyncio.gather(*(anext(stream) for stream in streams))
        await asyncio.gather(*(link.send("ReleaseTables", release) for link in links.values()))
        separator = "{"
        for stream in streams:
            async for part in _tables(stream, separator):
                yield part
            separator = "]}, "
        yield "]}}"


async def _tables(stream: AsyncIterator[bytes], separator: str) -> AsyncIterator[str]:
    """The tables of one domain, of which the last is left open; `separator` goes before the
    first."""
    rows = False
    async for data in stream:
        part = ExportTablesResponse.FromString(data)
        if part.schema:
            schema = json.dumps(part.schema)
            yield f'{separator}{json.dumps(part.table)}: {{"schema": {schema}, "data": ['
            separator, rows = "]}, ", False
        if part.rows_json:
            yield (", " if rows else "") + part.rows_json
            rows = True
