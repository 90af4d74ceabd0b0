"""The RPCs that every domain has a part in: export and import."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from pathlib import Path

from chassis.paths import ProjectPaths
from chassis.rpc import rules
from chassis.rpc.errors import InvalidArgument, ResourceExhausted, Violations
from chassis.rpc.peers import PeerChannel
from ft.channel import MAX_DOCUMENT_BYTES
from ft.enums import OnConflict
from ft.proto.fine_tuning_studio_database_pb2 import (
    ImportDocumentRequest,
    StreamExportRequest,
    StreamExportResponse,
)
from ft.proto.fine_tuning_studio_pb2 import (
    ExportDatabaseRequest,
    ExportDatabaseResponse,
    ImportDatabaseRequest,
    ImportDatabaseResponse,
)
from services.facade.document import Document
from services.facade.exporting import export
from services.facade.importing import Import

AGGREGATED = ("ExportDatabase", "ImportDatabase", "StreamExport", "ImportDocument")
PART_BYTES = 1024 * 1024
"""Largest part of a streamed export."""


class DatabaseServicer:
    """Assembles the export from the domains' tables, and hands them an import."""

    def __init__(self, channels: Mapping[str, PeerChannel], paths: ProjectPaths) -> None:
        self._channels = channels
        self._paths = paths

    async def ExportDatabase(self, request: ExportDatabaseRequest) -> ExportDatabaseResponse:
        parts: list[str] = []
        size = 0
        async with aclosing(export(self._channels)) as document:
            async for part in document:
                parts.append(part)
                size += len(part)
                if size > MAX_DOCUMENT_BYTES:
                    raise ResourceExhausted(
                        f"the export has more than {MAX_DOCUMENT_BYTES} bytes; "
                        "StreamExport sends it in parts",
                        reason="EXPORT_TOO_LARGE",
                    )
        return ExportDatabaseResponse(exported_json="".join(parts))

    async def StreamExport(
        self, request: StreamExportRequest
    ) -> AsyncIterator[StreamExportResponse]:
        async with aclosing(export(self._channels)) as document:
            async for part in document:
                data = part.encode()
                for first in range(0, len(data), PART_BYTES):
                    yield StreamExportResponse(data=data[first : first + PART_BYTES])

    async def ImportDatabase(self, request: ImportDatabaseRequest) -> ImportDatabaseResponse:
        on_conflict = _on_conflict(request.on_conflict)
        field = "imported_json_path"
        found = Violations()
        location = found.required(field, request.imported_json_path)
        path = self._paths.file(field, location, found) if location else None
        found.raise_if_any()
        assert path is not None
        # In a thread: a large document takes seconds, in which others want their answers.
        document = await asyncio.to_thread(lambda: Document.parse(_read(field, path), field))
        return await self._import(document, on_conflict, request.dry_run)

    async def ImportDocument(self, request: ImportDocumentRequest) -> ImportDatabaseResponse:
        on_conflict = _on_conflict(request.on_conflict)
        text = request.exported_json
        document = await asyncio.to_thread(lambda: Document.parse(text, "exported_json"))
        return await self._import(document, on_conflict, request.dry_run)

    async def _import(
        self, document: Document, on_conflict: OnConflict, dry_run: bool
    ) -> ImportDatabaseResponse:
        if on_conflict is OnConflict.REPLACE and not document.own:
            description = (
                "`replace` needs a file that this studio has exported; use `skip` for a file of "
                "another studio"
            )
            raise InvalidArgument.at("on_conflict", rules.REPLACEABLE, description)
        tables = await Import(self._channels, document, on_conflict).run(dry_run)
        return ImportDatabaseResponse(tables=tables, left_out_tables=document.left_out)


def _on_conflict(wanted: str) -> OnConflict:
    found = Violations()
    found.one_of("on_conflict", wanted or OnConflict.REFUSE, OnConflict)
    found.raise_if_any()
    return OnConflict(wanted or OnConflict.REFUSE)


def _read(field: str, path: Path) -> bytes:
    try:
        if (size := path.stat().st_size) > MAX_DOCUMENT_BYTES:
            description = f"has {size} bytes; {MAX_DOCUMENT_BYTES} are allowed"
            raise InvalidArgument.at(field, rules.EXPORT_FILE, description)
        return path.read_bytes()
    except OSError as error:
        description = f"cannot be read: {error.strerror}"
        raise InvalidArgument.at(field, rules.EXPORT_FILE, description) from error
