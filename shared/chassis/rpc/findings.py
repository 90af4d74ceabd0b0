"""Findings about a job that is checked without being started."""

from collections.abc import Awaitable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from chassis.rpc.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    Unimplemented,
    Violation,
)
from chassis.rpc.rules import Rule
from ft.proto.fine_tuning_studio_jobs_pb2 import Finding

T = TypeVar("T")

ERROR, WARNING, NOTICE = SEVERITIES = ("ERROR", "WARNING", "NOTICE")
"""Severities of a finding, the most severe first."""
SHOWN_PLACES = 5
"""Rows that a finding names at most."""
_ABOUT_THE_REQUEST = (AlreadyExists, FailedPrecondition, InvalidArgument, Unimplemented)
"""Refusals that become findings. Others, such as Unavailable, are not about the request."""


class Findings:
    """Collects all findings about a request, where a start would end at the first refusal."""

    def __init__(self) -> None:
        self.found: list[Finding] = []
        """In the order in which they were added."""

    def add(
        self,
        severity: str,
        field: str,
        rule: Rule,
        description: str,
        rows: int = 0,
        places: Sequence[str] = (),
    ) -> None:
        """Adds one finding about a field of the request (empty for none), and about rows.

        `rows` is the number of rows, `places` names some of them.
        """
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

    def extend(self, findings: Iterable[Finding]) -> None:
        """Adds findings that another service made, without duplicates."""
        for finding in findings:
            if finding not in self.found:
                self.found.append(finding)

    @contextmanager
    def catch_refusals(self) -> Iterator[None]:
        """Makes errors of a refusal that the block raises; the block ends there.

        Raises refusals that are not about the request, such as Unavailable.
        """
        try:
            yield
        except _ABOUT_THE_REQUEST as refusal:
            field = refusal.metadata.get("field", "")
            description = refusal.message.removeprefix(f"{field}: ")
            only = Violation(field, description, refusal.metadata.get("rule", ""))
            # A field that is wrong by itself is not also missing, or taken.
            known = {finding.field for finding in self.found if finding.severity == ERROR}
            for violation in refusal.violations or [only]:
                if violation.field not in known:
                    self.found.append(
                        Finding(
                            severity=ERROR,
                            field=violation.field,
                            rule=violation.rule,
                            description=violation.description,
                        )
                    )

    async def result_of(self, check: Awaitable[T]) -> T | None:
        """Returns the result of a check; None if it refuses the request, see `catch_refusals`."""
        with self.catch_refusals():
            return await check
        return None

    def has_error(self, field: str) -> bool:
        """Tells whether there is an error about that field."""
        return any(one.severity == ERROR and one.field == field for one in self.found)

    def has_error_outside(self, fields: Container[str]) -> bool:
        """Tells whether there is an error about another field than these."""
        return any(one.severity == ERROR and one.field not in fields for one in self.found)

    @property
    def valid(self) -> bool:
        """True if there is no error."""
        return not self.has_error_outside(())

    def by_severity(self) -> list[Finding]:
        """Returns all findings, the most severe first."""
        return sorted(self.found, key=lambda one: SEVERITIES.index(one.severity))
