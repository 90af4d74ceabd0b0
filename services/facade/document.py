"""An export document as an import reads it: rows with what travelled beside them."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chassis.domains import MORE_TABLES_OF, TABLE_OF
from chassis.rpc import errors, rules
from chassis.transfer.document import OWN_COLUMNS, digest, own_table, printable

_REVISIONS = "alembic_version"
"""A table of today's studio that says nothing of its content."""


class Document:
    """The tables of an export, made by this studio or by another one.

    Its tables may have come through another studio: rows may have been changed or removed there,
    and what this studio kept about them is then left out.
    """

    def __init__(self, tables: Mapping[str, list[Any]], left_out: Sequence[str] = ()) -> None:
        self._tables = tables
        self.left_out = left_out
        """Tables of the file that the studio does not have."""
        self._digests: dict[str, dict[str, str]] = {}
        self.stale: dict[str, list[str]] = {}
        """Ids of the rows, by table, that were changed by another studio; known once they are
        read."""

    @classmethod
    def parse(cls, document: str | bytes, field: str) -> "Document":
        """Reads a document. Raises InvalidArgument, naming the request's field or the table."""
        try:
            tables = json.loads(document, object_pairs_hook=_distinct)
        except (ValueError, RecursionError) as error:
            raise _no_export(field, f"is not an export file: {error}") from error
        if not isinstance(tables, dict):
            raise _no_export(field, "is not an export file: it must be a JSON object")
        names: list[str] = []
        for domain, table in TABLE_OF.items():
            names += [table, own_table(table), *map(own_table, MORE_TABLES_OF.get(domain, ()))]
        known = [name for name in names if name in tables]
        if tables and not known:
            raise _no_export(field, "is not an export file: it has none of the studio's tables")
        left_out = sorted(map(printable, tables.keys() - known - {_REVISIONS}))
        rows: dict[str, list[Any]] = {}
        for name in known:
            content = tables[name] or {}
            data = content.get("data", []) if isinstance(content, dict) else None
            if not isinstance(data, list):
                raise _no_export(name, "must be an object whose `data` is a list of rows")
            rows[name] = data
        return cls(rows, left_out)

    @property
    def own(self) -> bool:
        """True if this studio has exported it, even if another studio has changed it since."""
        if any(own_table(name) in self._tables for name in TABLE_OF.values()):
            return True
        # Earlier versions of the studio had their own columns in the contract's tables.
        rows = (row for name in TABLE_OF.values() for row in self._tables.get(name, ())[:1])
        return any(isinstance(row, dict) and "created_at" in row for row in rows)

    def tables(self, domain: str) -> Iterator[tuple[str, Iterator[Any]]]:
        """The tables of a domain, each with its rows, to be read in this order."""
        owner = TABLE_OF[domain]
        yield owner, self._contract_rows(owner)
        for table in MORE_TABLES_OF.get(domain, ()):
            yield table, self._more_rows(table, owner)

    def _contract_rows(self, table: str) -> Iterator[Any]:
        rows = self._tables.get(table, [])
        own = self._own_rows(table)
        digests = self._digests[table] = {}
        self.stale[table] = []
        for row in rows:
            id = str(row.get("id")) if isinstance(row, dict) else ""
            if (known := own.get(id)) is None:
                yield row
                continue
            of_row = digest(table, row)
            if (values := known.get(of_row)) is None:
                self.stale[table].append(id)
                yield row
            else:
                digests[id] = of_row
                yield {**values, **row}

    def _own_rows(self, table: str) -> dict[str, dict[str, dict[str, Any]]]:
        """The studio's own values by id and by digest of the row that they are about.

        A studio that has taken in two exports has those of both; the later ones count.
        """
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for row_id, row_sha256, values in self._extras(own_table(table)):
            found.setdefault(str(row_id), {})[str(row_sha256)] = values
        return found

    def _more_rows(self, table: str, owner: str) -> Iterator[Any]:
        """Rows that the contract does not have; those about a row that is stale are left out."""
        digests = self._digests[owner]
        latest: dict[str, Any] = {}
        for row_id, row_sha256, values in self._extras(own_table(table)):
            if row_id is None or digests.get(row_id) == row_sha256:
                latest[str(values.get("id"))] = values
        yield from latest.values()

    def _extras(self, table: str) -> Iterator[tuple[str | None, str | None, dict[str, Any]]]:
        for place, row in enumerate(self._tables.get(table, [])):
            at = f"{table}[{place}]"
            if not isinstance(row, dict) or not all(name in row for name in OWN_COLUMNS):
                raise _no_own(at, f"must be an object with {', '.join(OWN_COLUMNS)}")
            row_id, row_sha256, text = (row[name] for name in OWN_COLUMNS)
            if not isinstance(row_id, str | None) or not isinstance(row_sha256, str | None):
                raise _no_own(at, "must have texts in row_id and row_sha256")
            try:
                values = json.loads(text)
            except (TypeError, ValueError, RecursionError) as error:
                raise _no_own(f"{at}.extra_json", f"is not JSON: {error}") from error
            if not isinstance(values, dict):
                raise _no_own(f"{at}.extra_json", "must be a JSON object")
            yield row_id, row_sha256, values


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValueError if a key is there twice: all but the last would be lost."""
    content = dict(pairs)
    if len(content) < len(pairs):
        times = Counter(name for name, _ in pairs)
        repeated = ", ".join(repr(name) for name in times if times[name] > 1)
        raise ValueError(f"an object has keys more than once: {repeated}")
    return content


def _no_export(field: str, description: str) -> errors.InvalidArgument:
    return errors.InvalidArgument.at(field, rules.EXPORT_FILE, description)


def _no_own(field: str, description: str) -> errors.InvalidArgument:
    remedy = "; remove this table from the file to import the rest"
    return errors.InvalidArgument.at(field, rules.OWN_TABLE, description + remedy)
