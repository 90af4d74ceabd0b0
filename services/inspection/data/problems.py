"""Problems of rows: the number of rows that have each, and the first of them."""

from collections import defaultdict

from chassis.rpc.findings import SHOWN_PLACES, Findings
from chassis.rpc.rules import Rule
from services.inspection.data.rows import RowSelection


class RowProblems:
    """Counts the rows that have a problem, and keeps the places of the first."""

    def __init__(self, rows: RowSelection) -> None:
        self._rows = rows
        self._places: dict[str, list[str]] = defaultdict(list)
        self.counts: dict[str, int] = defaultdict(int)

    def add(self, problem: str, row: int) -> None:
        """Counts a row; `row` is its number in the selection."""
        self.counts[problem] += 1
        if len(self._places[problem]) < SHOWN_PLACES:
            self._places[problem].append(self._rows.place(row))

    def report(
        self, findings: Findings, problem: str, severity: str, field: str, rule: Rule, text: str
    ) -> None:
        """Adds a finding if rows have the problem; `text` says what these rows have or are."""
        if count := self.counts[problem]:
            description = f"{count} of {len(self._rows)} rows {text}"
            findings.add(severity, field, rule, description, count, self._places[problem])
