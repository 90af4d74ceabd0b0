"""A domain's part of an export: its rows, and further columns that only this studio has."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from chassis.transfer.document import digest, own_row, own_table
from chassis.transfer.rows import DomainTable, plain
from chassis.transfer.schemas import contract_schema, own_schema
from ft.proto.tables_pb2 import ExportTablesResponse

CHUNK_BYTES = 512 * 1024
"""Most bytes of a table in one message."""


def export(connection: Connection, tables: Sequence[DomainTable]) -> Iterator[ExportTablesResponse]:
    """Yields the tables in parts, in the order of the document."""
    owning = {table.owner.name for table in tables if table.owner}
    digests: dict[str, dict[str, str | None]] = {name: {} for name in owning}
    for table in tables:
        if table.contract_columns:
            contract_rows = (
                json.dumps({name: row[name] for name in table.contract_columns})
                for row in _rows(connection, table)
            )
            yield from _parts(table.name, contract_schema(table.kind.table()), contract_rows)
        owners = digests[table.owner.name] if table.owner else {}
        rows = _own_rows(connection, table, owners, digests.get(table.name))
        yield from _parts(own_table(table.name), own_schema(table.name), rows)


def _own_rows(
    connection: Connection,
    table: DomainTable,
    owners: Mapping[str, str | None],
    digests: dict[str, str | None] | None,
) -> Iterator[str]:
    """Rows of the studio's own table beside a table.

    `owners` has the digest of each row of the owner, by its id; None for rows that the contract
    does not have. `digests`, if there is one, gets the same about these rows.

    A row without its owner, which may have been removed, is left out.
    """
    for row in _rows(connection, table):
        own = {key: row[key] for key in table.own_columns}
        if table.owner is not None:
            if (owner := table.owner_id(row)) in owners:
                yield own_row(owner if owners[owner] else None, owners[owner], own)
            continue
        of_row = digest(table.name, row) if table.contract_columns else None
        if digests is not None:
            digests[row["id"]] = of_row
        yield own_row(row["id"] if of_row else None, of_row, own)


def _rows(connection: Connection, table: DomainTable) -> Iterator[dict[str, Any]]:
    query = table.kind.exported().execution_options(yield_per=100)
    for row in connection.execute(query).mappings():
        yield {key: plain(value) for key, value in row.items()}


def _parts(name: str, schema: str, rows: Iterator[str]) -> Iterator[ExportTablesResponse]:
    yield ExportTablesResponse(table=name, schema=schema)
    part: list[str] = []
    size = 0
    for row in rows:
        part.append(row)
        size += len(row)
        if size >= CHUNK_BYTES:
            yield ExportTablesResponse(table=name, rows_json=", ".join(part))
            part, size = [], 0
    if part:
        yield ExportTablesResponse(table=name, rows_json=", ".join(part))
