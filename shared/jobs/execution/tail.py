"""Reads a job's log while it grows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

from chassis.rpc.errors import InvalidArgument
from ft.proto.fine_tuning_studio_jobs_pb2 import TailLogsResponse
from jobs import rules
from jobs.execution.job_folder import open_regular

CHUNK_BYTES = 65_536
POLL_SECONDS = 0.2


async def tail(
    log: Path, offset: int, follow: bool, ended: Callable[[], bool]
) -> AsyncIterator[TailLogsResponse]:
    """Chunks of the log from `offset` on; with `follow`, until the job has ended."""
    if offset < 0:
        raise InvalidArgument.at("offset", rules.OFFSET, f"must not be negative, not {offset}")
    while True:
        # Asked before reading: what was written before the end is then surely read.
        last = not follow or ended()
        with suppress(OSError), open_regular(log) as file:
            file.seek(offset)
            while data := file.read(CHUNK_BYTES):
                offset += len(data)
                yield TailLogsResponse(data=data, next_offset=offset)
        if last:
            return
        await asyncio.sleep(POLL_SECONDS)
