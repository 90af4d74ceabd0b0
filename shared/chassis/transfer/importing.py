"""A domain's part of an import: staged, prepared, then committed or aborted."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from chassis.rpc import errors
from chassis.store.engine import Store
from chassis.store.records import Record
from chassis.transfer.rows import DomainTable
from chassis.transfer.sorting import Sorting
from chassis.transfer.staging import ImportState, Staging
from ft.enums import OnConflict
from ft.proto.fine_tuning_studio_types_pb2 import ImportedTable

log = structlog.get_logger()

UNDER_WAY_SECONDS = 1.0
"""Pause between checks of imports that are under way."""
IDLE_SECONDS = 60.0
"""The same while none is known: another replica on the same database may have left one."""
Resolve = Callable[[str, bool], Awaitable[bool | None]]
"""Asks the deciding domain about an import, by its id and whether to give it up now. Returns True
if it is committed, False if it is given up, None while it is undecided."""


class DomainImport:
    """Imports into the tables of one domain.

    The deciding domain has no `resolve`. An import without activity for `grace` is given up.
    """

    def __init__(
        self,
        store: Store,
        tables: Sequence[DomainTable],
        resolve: Resolve | None,
        grace: timedelta,
    ) -> None:
        self._store = store
        self._tables = tables
        self._resolve = resolve
        self._grace = grace
        self._staging = Staging(store)
        self._woken = asyncio.Event()

    async def stage(self, import_id: str, table: str, first: int, rows: Sequence[Any]) -> None:
        """Stores rows of the file. Raises Aborted if another import is under way."""

        def work(connection: Connection) -> None:
            self._staging.open(connection, import_id)
            self._staging.add(connection, import_id, table, first, rows)

        try:
            await self._store.write(work)
        finally:
            # A write goes on when its caller has stopped waiting.
            self._woken.set()

    async def prepare(
        self, import_id: str, on_conflict: OnConflict = OnConflict.REFUSE
    ) -> list[ImportedTable]:
        """Checks the staged rows and reports the outcome of each."""

        def work(connection: Connection) -> list[ImportedTable]:
            self._staging.open(connection, import_id)
            sorting = Sorting(connection, on_conflict)
            for table in self._tables:
                sorting.sort(table, self._staging.rows(connection, import_id, table.name))
            if not sorting.refused:
                self._staging.keep_only(connection, import_id, sorting.places)
            return sorting.reports

        try:
            return await self._store.write(work)
        finally:
            self._woken.set()

    async def commit(self, import_id: str) -> None:
        """Writes the prepared rows; in the deciding domain, the decision with them.

        Can be repeated. Raises Aborted if the import was given up.
        """

        def work(connection: Connection) -> None:
            state = self._staging.state(connection, import_id)
            if state is ImportState.COMMITTED or (state is None and self._resolve is not None):
                return  # it was committed before
            if state is not ImportState.PREPARED:
                raise errors.Aborted("the import was given up", reason="IMPORT_GIVEN_UP")
            for table in self._tables:
                table.lock(connection)
                table.take(connection, self._staged(connection, import_id, table))
            decided = ImportState.COMMITTED if self._resolve is None else None
            self._staging.close(connection, import_id, decided)

        await self._store.write(work)

    def _staged(
        self, connection: Connection, import_id: str, table: DomainTable
    ) -> Iterator[tuple[Any, Record]]:
        for row in self._staging.rows(connection, import_id, table.name):
            record = table.check(table.name, row.content, errors.Violations())
            if record is not None:
                yield row.content, record

    async def abort(self, import_id: str) -> None:
        """Deletes the staged rows of an import that is not committed."""

        def work(connection: Connection) -> None:
            if self._staging.state(connection, import_id) is not ImportState.COMMITTED:
                self._staging.close(connection, import_id)

        await self._store.write(work)

    async def decided(self, import_id: str, give_up: bool) -> ImportState | None:
        """Returns the decision about an import, in the deciding domain; None while there is none.

        With `give_up`, an undecided import is given up now.
        """

        def work(connection: Connection) -> ImportState | None:
            state = self._staging.state(connection, import_id)
            if state in (ImportState.COMMITTED, ImportState.GIVEN_UP):
                return state
            if not give_up:
                return None
            self._staging.close(connection, import_id, ImportState.GIVEN_UP)
            return ImportState.GIVEN_UP

        return await self._store.write(work)

    async def run(self) -> None:
        """Completes or gives up imports that were interrupted, for as long as the process runs.

        It checks at start, every second while an import is under way, and once a minute otherwise.
        """
        while True:
            self._woken.clear()
            try:
                under_way = self._store.read(lambda c: self._staging.left(c, self._grace))
                for import_id, abandoned in under_way:
                    await self._settle(import_id, abandoned)
                is_idle = not under_way
            except errors.Refusal as error:
                log.warning("imports not settled", reason=error.message)
                is_idle = False
            if is_idle:
                with suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_SECONDS):
                        await self._woken.wait()
            await asyncio.sleep(UNDER_WAY_SECONDS)

    async def _settle(self, import_id: str, abandoned: bool) -> None:
        if self._resolve is None:
            if abandoned:
                log.warning("import given up", import_id=import_id)
                await self.decided(import_id, give_up=True)
            return
        committed = await self._resolve(import_id, abandoned)
        if committed:
            log.info("import completed", import_id=import_id)
            await self.commit(import_id)
        elif committed is False:
            log.warning("import given up", import_id=import_id)
            await self.abort(import_id)
