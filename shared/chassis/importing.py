"""A domain's part of an import: staged, prepared, committed or forgotten."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from chassis import errors, rules
from chassis.records import Base
from chassis.rows import MAX_SHOWN, DomainTable, shortened, storable
from chassis.staging import ImportState, Staging
from chassis.store import Store
from ft.proto.fine_tuning_studio_types_pb2 import ImportedTable, RefusedRow

log = structlog.get_logger()

POLL_SECONDS = 1.0
MAX_REFUSED = 1000
"""How many refused rows of a table are told one by one."""
Resolve = Callable[[str, bool], Awaitable[bool | None]]
"""Asks the domain that decides about an import, by its id and whether to give it up now: True if it
is committed, False if it is given up, None while neither is decided."""


class DomainImport:
    """Imports into the tables of one domain.

    The domain that decides has no `resolve`. An import that nothing happened to for `grace` is
    given up.
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

    async def stage(self, import_id: str, table: str, first: int, rows: Sequence[Any]) -> None:
        """Keeps rows of the file. Raises Aborted if another import is under way."""

        def work(connection: Connection) -> None:
            self._staging.open(connection, import_id)
            self._staging.add(connection, import_id, table, first, rows)

        await self._store.write(work)

    async def prepare(self, import_id: str) -> list[ImportedTable]:
        """Checks the staged rows and says what becomes of each."""

        def work(connection: Connection) -> list[ImportedTable]:
            self._staging.open(connection, import_id)
            reports, taken = [], {}
            for table in self._tables:
                report, taken[table.name] = self._sorted(connection, import_id, table)
                reports.append(report)
            if not any(report.refused for report in reports):
                self._staging.keep_only(connection, import_id, taken)
            return reports

        return await self._store.write(work)

    def _sorted(
        self, connection: Connection, import_id: str, table: DomainTable
    ) -> tuple[ImportedTable, set[int]]:
        report, taken = ImportedTable(table=table.name), set[int]()
        there = table.existing(connection)
        places: dict[str, str] = {}
        for row in self._staging.rows(connection, import_id, table.name):
            found = errors.Violations()
            place = f"{table.name}[{row.place}]"
            record = table.check(place, row.content, found)
            if record is not None:
                _check_place(places, record.id, place, found)
                _check_difference(place, table, row.content, record, there.get(record.id), found)
            if found.found:
                _refuse(report, record, found.found)
            elif record is not None and record.id in there:
                report.identical.append(record.id)
            elif record is not None:
                report.taken.append(record.id)
                taken.add(row.place)
        return report, taken

    async def commit(self, import_id: str) -> None:
        """Takes the prepared rows in; where it is decided, the decision with them.

        Can be repeated. Raises Aborted if the import was given up.
        """

        def work(connection: Connection) -> None:
            state = self._staging.state(connection, import_id)
            if state is ImportState.COMMITTED or (state is None and self._resolve is not None):
                return  # it was taken in before
            if state is not ImportState.PREPARED:
                raise errors.Aborted("the import was given up", reason="IMPORT_GIVEN_UP")
            for table in self._tables:
                table.lock(connection)
                table.take(connection, self._staged(connection, import_id, table))
            decided = ImportState.COMMITTED if self._resolve is None else None
            self._staging.close(connection, import_id, decided)

        await self._store.write(work)

    def _staged(self, connection: Connection, import_id: str, table: DomainTable) -> list[Base]:
        checked = errors.Violations()
        rows = self._staging.rows(connection, import_id, table.name)
        records = (table.check(table.name, row.content, checked) for row in rows)
        return [record for record in records if record is not None]

    async def abort(self, import_id: str) -> None:
        """Forgets an import that is not committed."""

        def work(connection: Connection) -> None:
            if self._staging.state(connection, import_id) is not ImportState.COMMITTED:
                self._staging.close(connection, import_id)

        await self._store.write(work)

    async def decided(self, import_id: str, give_up: bool) -> ImportState | None:
        """What was decided about an import, in the domain that decides; with `give_up` it is
        decided now that an import that is not committed never will be."""

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
        """Settles imports that were left in the middle, for as long as the process runs."""
        while True:
            try:
                for import_id, old in self._store.read(
                    lambda c: self._staging.left(c, self._grace)
                ):
                    await self._settle(import_id, old)
            except errors.Refusal as error:
                log.warning("imports not settled", reason=error.message)
            await asyncio.sleep(POLL_SECONDS)

    async def _settle(self, import_id: str, old: bool) -> None:
        if self._resolve is None:
            if old:
                log.warning("import given up", import_id=import_id)
                await self.decided(import_id, give_up=True)
            return
        committed = await self._resolve(import_id, old)
        if committed:
            log.info("import completed", import_id=import_id)
            await self.commit(import_id)
        elif committed is False:
            log.warning("import given up", import_id=import_id)
            await self.abort(import_id)


def _check_place(places: dict[str, str], id: str, place: str, found: errors.Violations) -> None:
    first = places.setdefault(id, place)
    taken = f"{shortened(id)} is the id of {first} already"
    found.check(f"{place}.id", rules.ROW_ID, first == place, taken)


def _check_difference(
    place: str, table: DomainTable, row: Any, record: Base, there: Any, found: errors.Violations
) -> None:
    if there is None or found.found:
        return
    description = f"{shortened(record.id)} is there with another content"
    same = table.same(row, record, there)
    found.check(f"{place}.id", rules.SAME_CONTENT, same, description)


def _refuse(report: ImportedTable, record: Base | None, found: Sequence[errors.Violation]) -> None:
    if len(report.refused) >= MAX_REFUSED:
        return
    first, *others = found
    reason = "; ".join([first.description, *(f"{v.field}: {v.description}" for v in others)])
    id = record.id[:MAX_SHOWN] if record is not None and storable(record.id) else ""
    refused = RefusedRow(place=first.field, id=id, reason=reason, rule=first.rule)
    report.refused.append(refused)
