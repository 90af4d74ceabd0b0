"""An import: rows for every domain, all of them or none."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from chassis.domains import DECIDER
from chassis.ids import new_id
from chassis.rpc import errors
from chassis.rpc.peers import PeerChannel, PeerRefusal, all_ended
from ft.enums import OnConflict
from ft.proto.fine_tuning_studio_types_pb2 import ImportedTable
from ft.proto.tables_pb2 import (
    AbortImportRequest,
    CommitImportRequest,
    PrepareImportRequest,
    PrepareImportResponse,
    StageRowsRequest,
)
from services.facade.document import Document

CHUNK_BYTES = 1024 * 1024
MAX_TOLD = 20
"""How many refused rows an error names; a dry run names all."""


class Import:
    """One import of a document, see proto/tables.proto."""

    def __init__(
        self, channels: Mapping[str, PeerChannel], document: Document, on_conflict: OnConflict
    ) -> None:
        self._channels = channels
        self._document = document
        self._on_conflict = on_conflict
        self._id = new_id()

    async def run(self, dry_run: bool) -> list[ImportedTable]:
        """Takes the rows in; what became of each. With `dry_run` nothing is changed.

        Raises InvalidArgument naming the rows if one cannot be taken, Aborted if another import is
        under way, and Unavailable while a domain is away: with reason IMPORT_PENDING if the import
        is decided and will be completed all the same.
        """
        request = PrepareImportRequest(import_id=self._id, on_conflict=self._on_conflict)

        async def prepare(domain: str) -> PrepareImportResponse:
            answer = await self._channels[domain].send("PrepareImport", request.SerializeToString())
            return PrepareImportResponse.FromString(answer)

        try:
            await all_ended(*map(self._stage, self._channels))
            parts = await all_ended(*map(prepare, self._channels))
            reports = [table for part in parts for table in part.tables]
            for table in reports:
                table.stale.extend(self._document.stale.get(table.table, ()))
            if not dry_run:
                _require_taken(reports)
        except BaseException:
            await self._abort()
            raise
        if dry_run:
            await self._abort()
        else:
            # From here on the import is decided one way or the other, whoever stops waiting for it.
            await asyncio.shield(self._decide_and_complete())
        return reports

    async def _stage(self, domain: str) -> None:
        for table, rows in self._document.tables(domain):
            chunks = _chunks(rows)
            # In a thread: a large table takes seconds, in which others want their answers.
            while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
                first, rows_json = chunk
                request = StageRowsRequest(
                    import_id=self._id, table=table, first=first, rows_json=rows_json
                )
                await self._channels[domain].send("StageRows", request.SerializeToString())

    async def _decide_and_complete(self) -> None:
        request = CommitImportRequest(import_id=self._id).SerializeToString()
        await self._channels[DECIDER].send("CommitImport", request)
        others = [name for name in self._channels if name != DECIDER]
        outcomes = await asyncio.gather(
            *(self._channels[name].send("CommitImport", request) for name in others),
            return_exceptions=True,
        )
        waiting = [
            name
            for name, outcome in zip(others, outcomes, strict=True)
            if isinstance(outcome, BaseException)
        ]
        if waiting:
            raise errors.Unavailable(
                "the import is committed, and will be completed when these services are available "
                "again: " + ", ".join(waiting),
                reason="IMPORT_PENDING",
                service=waiting[0],
            )

    async def _abort(self) -> None:
        """Ends the import everywhere. A domain that cannot be reached forgets it by itself."""
        request = AbortImportRequest(import_id=self._id).SerializeToString()

        async def one(channel: PeerChannel) -> None:
            with suppress(errors.Refusal, PeerRefusal):
                await channel.send("AbortImport", request)

        await asyncio.shield(asyncio.gather(*(one(channel) for channel in self._channels.values())))


def _chunks(rows: Iterable[Any]) -> Iterator[tuple[int, str]]:
    """JSON lists of rows, not too large, with the place of the first row of each; one at least, so
    that every domain knows of the import."""
    first, part, size = 0, list[str](), 0
    for place, row in enumerate(rows):
        text = json.dumps(row)
        if part and size + len(text) > CHUNK_BYTES:
            yield first, f"[{', '.join(part)}]"
            first, part, size = place, [], 0
        part.append(text)
        size += len(text)
    yield first, f"[{', '.join(part)}]"


def _require_taken(reports: Sequence[ImportedTable]) -> None:
    refused = [row for table in reports for row in table.refused]
    if not refused:
        return
    told = [
        errors.Violation(row.place, f"{row.reason} (row {row.id!r})", row.rule)
        for row in refused[:MAX_TOLD]
    ]
    if len(refused) > MAX_TOLD:
        more = f"and {len(refused) - MAX_TOLD} more rows; a dry run names all of them"
        told.append(errors.Violation("rows", more, refused[MAX_TOLD].rule))
    raise errors.InvalidArgument.of(told, reason="IMPORT_REFUSED")
