"""Servicer for a domain's tables, for ExportDatabase and ImportDatabase."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

from sqlalchemy import Connection

from chassis import domains
from chassis.config import Settings
from chassis.rpc import errors
from chassis.store.engine import Store
from chassis.store.records import Record, Records
from chassis.transfer.exporting import export
from chassis.transfer.importing import DomainImport, Resolve
from chassis.transfer.rows import DomainTable
from chassis.transfer.snapshot import Snapshot
from chassis.transfer.staging import ImportState
from ft.enums import OnConflict
from ft.proto.tables_pb2 import (
    AbortImportRequest,
    AbortImportResponse,
    CommitImportRequest,
    CommitImportResponse,
    ExportTablesRequest,
    ExportTablesResponse,
    PrepareImportRequest,
    PrepareImportResponse,
    ReleaseTablesRequest,
    ReleaseTablesResponse,
    ResolveImportRequest,
    ResolveImportResponse,
    StageRowsRequest,
    StageRowsResponse,
)


class TablesServicer:
    """Serves export and import of the tables of one domain.

    A table whose rows belong to another table comes after it. `run` is background work; `close` is
    to be called at the end.
    """

    def __init__(self, settings: Settings, store: Store, *kinds: type[Record]) -> None:
        self._store = store
        self._tables: list[DomainTable] = []
        for kind in kinds:
            owner = self._tables[-1] if kind.OWNER_ID else None
            self._tables.append(DomainTable(Records(store, kind), owner))
        self._exports: dict[str, Snapshot] = {}
        self._decider = domains.tables(domains.DECIDER, settings)
        self._decides = settings.service == domains.DECIDER
        resolve: Resolve | None = None if self._decides else self._resolve
        grace = timedelta(seconds=settings.import_grace_seconds)
        self._import = DomainImport(store, self._tables, resolve, grace)
        self.run = self._import.run
        self.close = self._decider.close

    async def ExportTables(
        self, request: ExportTablesRequest
    ) -> AsyncIterator[ExportTablesResponse]:
        async with Snapshot(self._store, self._lock) as snapshot:
            self._exports[request.export_id] = snapshot
            try:
                yield ExportTablesResponse()
                await snapshot.until_released()
            finally:
                del self._exports[request.export_id]
            for part in export(snapshot.connection, self._tables):
                yield part

    async def ReleaseTables(self, request: ReleaseTablesRequest) -> ReleaseTablesResponse:
        snapshot = self._exports.get(request.export_id)
        if snapshot is not None:
            snapshot.release()
        return ReleaseTablesResponse()

    async def StageRows(self, request: StageRowsRequest) -> StageRowsResponse:
        rows = json.loads(request.rows_json)
        await self._import.stage(request.import_id, request.table, request.first, rows)
        return StageRowsResponse()

    async def PrepareImport(self, request: PrepareImportRequest) -> PrepareImportResponse:
        on_conflict = OnConflict(request.on_conflict or OnConflict.REFUSE)
        return PrepareImportResponse(
            tables=await self._import.prepare(request.import_id, on_conflict)
        )

    async def CommitImport(self, request: CommitImportRequest) -> CommitImportResponse:
        await self._import.commit(request.import_id)
        return CommitImportResponse()

    async def AbortImport(self, request: AbortImportRequest) -> AbortImportResponse:
        await self._import.abort(request.import_id)
        return AbortImportResponse()

    async def ResolveImport(self, request: ResolveImportRequest) -> ResolveImportResponse:
        if not self._decides:
            raise errors.Unimplemented("imports are not decided here")
        decided = await self._import.decided(request.import_id, request.give_up)
        return ResolveImportResponse(
            committed=decided is ImportState.COMMITTED, given_up=decided is ImportState.GIVEN_UP
        )

    def _lock(self, connection: Connection) -> None:
        for table in self._tables:
            table.lock(connection)

    async def _resolve(self, import_id: str, give_up: bool) -> bool | None:
        request = ResolveImportRequest(import_id=import_id, give_up=give_up)
        answer = await self._decider(lambda stub: stub.ResolveImport, request)
        return True if answer.committed else False if answer.given_up else None
