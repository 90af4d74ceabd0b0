"""The two RPCs that every domain has a part in: ExportDatabase and ImportDatabase."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from chassis import rules
from chassis.errors import InvalidArgument, Violations
from chassis.paths import ProjectPaths
from chassis.peers import Link
from ft.channel import MAX_MESSAGE_BYTES
from ft.proto.fine_tuning_studio_pb2 import (
    ExportDatabaseRequest,
    ExportDatabaseResponse,
    ImportDatabaseRequest,
    ImportDatabaseResponse,
)
from ft.proto.tables_pb2 import ExportTablesRequest, ExportTablesResponse, ImportTablesRequest

AGGREGATED = ("ExportDatabase", "ImportDatabase")


class DatabaseServicer:
    """Assembles the export from the domains' tables, and hands them an import."""

    def __init__(self, links: Mapping[str, Link], paths: ProjectPaths) -> None:
        self._links = links
        self._paths = paths

    async def ExportDatabase(self, request: ExportDatabaseRequest) -> ExportDatabaseResponse:
        parts = await asyncio.gather(*(self._export(link) for link in self._links.values()))
        tables = {name: table for part in parts for name, table in part.items()}
        return ExportDatabaseResponse(exported_json=json.dumps(tables))

    async def ImportDatabase(self, request: ImportDatabaseRequest) -> ImportDatabaseResponse:
        tables = json.dumps(self._content(request.imported_json_path))
        # Every domain looks at its rows before the first one takes any.
        for validate_only in (True, False):
            message = ImportTablesRequest(tables_json=tables, validate_only=validate_only)
            for link in self._links.values():
                await link.send("ImportTables", message.SerializeToString())
        return ImportDatabaseResponse()

    @staticmethod
    async def _export(link: Link) -> dict[str, Any]:
        answer = await link.send("ExportTables", ExportTablesRequest().SerializeToString())
        part: dict[str, Any] = json.loads(ExportTablesResponse.FromString(answer).tables_json)
        return part

    def _content(self, location: str) -> dict[str, Any]:
        found = Violations()
        location = found.required("imported_json_path", location)
        path = self._paths.file("imported_json_path", location, found) if location else None
        found.raise_if_any()
        assert path is not None
        if (size := path.stat().st_size) > MAX_MESSAGE_BYTES:
            raise _refused(f"{location!r} has {size} bytes; {MAX_MESSAGE_BYTES} are allowed")
        try:
            content = json.loads(path.read_bytes())
        except (ValueError, OSError, RecursionError) as error:
            raise _refused(f"{location!r} is not an export file: {error}") from error
        if not isinstance(content, dict):
            raise _refused(f"{location!r} is not an export file: it must be a JSON object")
        return content


def _refused(description: str) -> InvalidArgument:
    return InvalidArgument.at("imported_json_path", rules.EXPORT_FILE, description)
