"""Findings of an inspection."""

from collections.abc import Sequence

from chassis.rpc.rules import Rule
from ft.proto.fine_tuning_studio_jobs_pb2 import Finding

ERROR, WARNING, NOTICE = "ERROR", "WARNING", "NOTICE"
"""Severities, see `Finding`."""
SHOWN_PLACES = 5
"""Most rows that a finding names."""


class Findings:
    """Collects findings in the order in which they are made."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def add(
        self,
        severity: str,
        field: str,
        rule: Rule,
        description: str,
        rows: int = 0,
        places: Sequence[str] = (),
    ) -> None:
        """Adds a finding about a field of the request, and the rows that it is about."""
        self.found.append(
            Finding(
                severity=severity,
                field=field,
                rule=rule.id,
                description=description,
                rows=rows,
                places=places[:SHOWN_PLACES],
            )
        )
