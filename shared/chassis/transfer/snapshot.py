"""Snapshot of a store, taken at the same moment as those of other stores."""

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from chassis.rpc.errors import Aborted
from chassis.store.engine import Store

HELD_SECONDS = 2.0
"""Most seconds that writers wait if the caller of an export has gone away."""


class Snapshot:
    """Blocks the store's writers until released, and reads its state at that moment.

    Used as an asynchronous context manager; `lock` also blocks other processes. Entering it raises
    the error that prevents it from blocking the writers.
    """

    def __init__(self, store: Store, lock: Callable[[Connection], None]) -> None:
        self._store = store
        self._lock = lock
        self._released = threading.Event()
        self._timed_out = False
        self._connection: Connection | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        held = asyncio.Event()

        def hold(connection: Connection) -> None:
            self._lock(connection)
            self._connection = self._store.frozen()
            loop.call_soon_threadsafe(held.set)
            self._timed_out = not self._released.wait(HELD_SECONDS)

        self._writing = asyncio.create_task(self._store.write(hold))
        waiting = asyncio.create_task(held.wait())
        await asyncio.wait({self._writing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not held.is_set():
            await self._writing  # raises the error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
        try:
            await self._writing
        finally:
            if self._connection is not None:
                self._connection.close()

    def release(self) -> None:
        """Lets the writers continue; the snapshot does not change."""
        self._released.set()

    async def until_released(self) -> None:
        """Returns when the writers continue. Raises Aborted if nobody has released them in time."""
        await asyncio.shield(self._writing)
        if self._timed_out:
            raise Aborted("the export was not released in time", reason="EXPORT_NOT_RELEASED")

    @property
    def connection(self) -> Connection:
        """Connection that reads the snapshot."""
        assert self._connection is not None
        return self._connection
