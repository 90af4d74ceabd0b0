"""Sorts the rows of an import: new, identical, in conflict or wrong."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from chassis.rpc import errors, rules
from chassis.store.records import Record
from chassis.transfer.rows import MAX_SHOWN, DomainTable, is_own, shortened, storable
from chassis.transfer.staging import StagedRow
from ft.enums import OnConflict
from ft.proto.fine_tuning_studio_types_pb2 import DifferingRow, ImportedTable, RefusedRow

MAX_REFUSED = 1000
"""Number of refused rows of a table that are reported one by one."""


class Sorting:
    """Sorts the rows of an import, table by table, an owner before what belongs to it."""

    def __init__(self, connection: Connection, on_conflict: OnConflict) -> None:
        self._connection = connection
        self._on_conflict = on_conflict
        self._taken: dict[str, set[str]] = {}
        self.places: dict[str, set[int]] = {}
        """Places of the rows that the import writes, by table."""
        self.reports: list[ImportedTable] = []

    @property
    def refused(self) -> bool:
        """True if any row is refused."""
        return any(report.refused for report in self.reports)

    def sort(self, table: DomainTable, rows: Iterable[StagedRow]) -> None:
        """Sorts the rows of one table and adds its report."""
        report = ImportedTable(table=table.name)
        self.places[table.name] = set()
        self._taken[table.name] = set()
        there = {} if table.owner else table.existing(self._connection)
        first_places: dict[str, str] = {}
        left_out = set[str]()
        for row in rows:
            left_out |= table.unknown(row.content)
            found = errors.Violations()
            place = f"{table.name}[{row.place}]"
            record = table.check(place, row.content, found)
            if record is not None:
                first = first_places.setdefault(record.id, place)
                description = f"{first} already has the id {shortened(record.id)}"
                found.check(f"{place}.id", rules.ROW_ID, first == place, description)
            if not found.found and record is not None:
                self._place(report, table, row, record, there, found)
            if found.found:
                _refuse(report, record, found.found)
        report.left_out_columns.extend(sorted(left_out))
        if table.contract_columns or report.ByteSize() > ImportedTable(table=table.name).ByteSize():
            self.reports.append(report)

    def _place(
        self,
        report: ImportedTable,
        table: DomainTable,
        row: StagedRow,
        record: Record,
        there: Mapping[str, Mapping[str, Any]],
        found: errors.Violations,
    ) -> None:
        if table.owner is not None:
            # It comes with its owner, or was here with it.
            comes = table.owner_id(record) in self._taken[table.owner.name]
            if comes and not table.has(self._connection, record.id):
                self.places[table.name].add(row.place)
        elif record.id not in there:
            report.taken.append(record.id)
            self._taken[table.name].add(record.id)
            self.places[table.name].add(row.place)
        elif differing := table.differing(row.content, record, there[record.id]):
            self._settle(report, table, row, record.id, differing, found)
        else:
            report.identical.append(record.id)

    def _settle(
        self,
        report: ImportedTable,
        table: DomainTable,
        row: StagedRow,
        id: str,
        differing: set[str],
        found: errors.Violations,
    ) -> None:
        """Decides about a row that is here with another content."""
        kept = differing & table.kind.kept()
        changed = differing - kept
        if self._on_conflict is OnConflict.SKIP or (
            self._on_conflict is OnConflict.REPLACE and not changed
        ):
            report.skipped.append(DifferingRow(id=id, kept=sorted(differing)))
        elif self._on_conflict is OnConflict.REFUSE:
            names = ", ".join(sorted(differing))
            description = f"{shortened(id)} already exists with different content ({names})"
            found.add(f"{table.name}[{row.place}].id", rules.SAME_CONTENT, description)
        elif not is_own(row.content):
            description = (
                f"{shortened(id)} already exists with different content, and another studio has "
                "changed the row in the file, so it cannot replace the existing row; use "
                "on_conflict skip, or remove the row from the file"
            )
            found.add(f"{table.name}[{row.place}].id", rules.REPLACEABLE, description)
        else:
            replaced = DifferingRow(id=id, changed=sorted(changed), kept=sorted(kept))
            report.replaced.append(replaced)
            self.places[table.name].add(row.place)


def _refuse(
    report: ImportedTable, record: Record | None, found: Sequence[errors.Violation]
) -> None:
    if len(report.refused) >= MAX_REFUSED:
        return
    first, *others = found
    reason = "; ".join([first.description, *(f"{v.field}: {v.description}" for v in others)])
    id = record.id[:MAX_SHOWN] if record is not None and storable(record.id) else ""
    refused = RefusedRow(place=first.field, id=id, reason=reason, rule=first.rule)
    report.refused.append(refused)
