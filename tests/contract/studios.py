"""Studios of ours with rows in every table and every column, and what they export."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from chassis.domains import MORE_TABLES_OF, TABLE_OF
from ft.proto.fine_tuning_studio_database_pb2 import ImportDocumentRequest
from ft.proto.fine_tuning_studio_types_pb2 import ImportedTable
from services.facade.tests.studio import Studio
from tests.contract.todays_studio import Document

OF_THIS_STUDIO = {
    "seq",
    "run_id",
    "spec",
    "sent_at",
    "request_id",
    "request_digest",
    "token_hash",
    "reported_offset",
    "not_before",
    "waits_for",
}
"""Columns that do not travel: they would make a job run, or end one, elsewhere."""
VALUES = {
    "features": '["a", "b"]',
    "roles": '{"asker": "user"}',
    "notices": '["it did something else"]',
    "retry": '{"max_attempts": 3, "on": ["CRASHED"]}',
    "manifest": '{"base": "m"}',
    "metrics": '{"rouge1": 0.5}',
    "samples": "[]",
    "state": "SUCCEEDED",
    "kind": "PROGRESS",
    "progress": '{"step": 3, "loss": 0.5}',
    "config": '{"r": 7}',
    "failure_kind": "CRASHED",
}
"""What has a form of its own, by column."""


def tables_of(domain: str) -> tuple[str, ...]:
    return (TABLE_OF[domain], *MORE_TABLES_OF.get(domain, ()))


def fill(folder: Path, rows: int = 3) -> None:
    """Writes rows with a value in every column that travels, whatever columns there are."""
    for domain in TABLE_OF:
        with closing(sqlite3.connect(folder / f"{domain}.db")) as db, db:
            for table in tables_of(domain):
                columns = list(db.execute(f"SELECT name, type FROM pragma_table_info('{table}')"))
                for number in range(rows):
                    row = {
                        name: _value(domain, table, name, kind, number)
                        for name, kind in columns
                        if name not in OF_THIS_STUDIO
                    }
                    names = ", ".join(f'"{name}"' for name in row)
                    marks = ", ".join("?" * len(row))
                    statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
                    db.execute(statement, tuple(row.values()))


def _value(domain: str, table: str, column: str, kind: str, number: int) -> Any:
    if column == "id":
        return f"{table}-{number}"
    if column == "job_id":
        return f"{tables_of(domain)[-2]}-{number}"
    if column in VALUES:
        return VALUES[column]
    if kind == "DATETIME":
        return f"2026-01-02 03:04:0{number}.678901"
    if kind in ("INTEGER", "BIGINT"):
        return number + 1
    if kind == "FLOAT":
        return 0.1 * (number + 1)
    return f"{column} {number} ü 語"


def kept(folder: Path, *but: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table as it lies in the databases, without what does not travel."""
    found = {}
    for domain in TABLE_OF:
        with closing(sqlite3.connect(folder / f"{domain}.db")) as db:
            db.row_factory = sqlite3.Row
            for table in tables_of(domain):
                found[table] = [
                    {k: v for k, v in dict(row).items() if k not in {*OF_THIS_STUDIO, *but}}
                    for row in db.execute(f"SELECT * FROM {table} ORDER BY id")
                ]
    return found


async def take(
    studio: Studio, document: Document, on_conflict: str = "", dry_run: bool = False
) -> dict[str, ImportedTable]:
    """Imports a document; the report by table."""
    request = ImportDocumentRequest(
        exported_json=json.dumps(document), on_conflict=on_conflict, dry_run=dry_run
    )
    answer = await studio.database.ImportDocument(request, timeout=60, wait_for_ready=True)
    return {table.table: table for table in answer.tables}
