"""What is to be said about a job that is looked at in place of being started."""

from collections.abc import Awaitable, Container, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TypeVar

from chassis.rpc.errors import (
    AlreadyExists,
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    Refusal,
    ResourceExhausted,
    Unavailable,
    Unimplemented,
    Violation,
)
from chassis.rpc.rules import Rule
from ft.proto.fine_tuning_studio_jobs_pb2 import Finding
from jobs import rules
from jobs.workspace.client import Workspace

T = TypeVar("T")

_ABOUT_THE_REQUEST = (AlreadyExists, FailedPrecondition, InvalidArgument, Unimplemented)
_FOR_NOW = (DeadlineExceeded, ResourceExhausted, Unavailable)


class Severity(StrEnum):
    """How much a finding weighs, heaviest first."""

    ERROR = "ERROR"
    WARNING = "WARNING"
    NOTICE = "NOTICE"


class Findings:
    """Collects what the checks of a request find, where a start ends at the first refusal."""

    def __init__(self) -> None:
        self._found: list[Finding] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Notes what the block refuses the request for, and ends the block there.

        Raises what says nothing of the request, such as Unavailable.
        """
        try:
            yield
        except _ABOUT_THE_REQUEST as refusal:
            self._note(refusal)

    async def of(self, check: Awaitable[T]) -> T | None:
        """What a check finds; None, and noted, where it refuses the request."""
        with self.noted():
            return await check
        return None

    def add(self, severity: Severity, field: str, rule: Rule, description: str) -> None:
        """Notes one thing about a field of the request; empty if it is about none."""
        self._found.append(
            Finding(severity=severity, field=field, rule=rule.id, description=description)
        )

    def take(self, findings: Iterable[Finding]) -> None:
        """Adds findings of others; what is known already is not repeated."""
        for finding in findings:
            if finding not in self._found:
                self._found.append(finding)

    def wrong(self, but: Container[str]) -> bool:
        """Whether there is an error about a field, `but` some."""
        return any(one.severity == Severity.ERROR and one.field not in but for one in self._found)

    def has_error(self, field: str) -> bool:
        """Whether there is an error about that field."""
        return any(one.severity == Severity.ERROR and one.field == field for one in self._found)

    @property
    def valid(self) -> bool:
        """Whether there is no error."""
        return not self.wrong(but=())

    def ordered(self) -> list[Finding]:
        """All of them, the heaviest first."""
        order = [severity.value for severity in Severity]
        return sorted(self._found, key=lambda one: order.index(one.severity))

    def _note(self, refusal: Refusal) -> None:
        # A field that is wrong by itself is not also missing, or taken.
        known = {one.field for one in self._found if one.severity == Severity.ERROR}
        for violation in refusal.violations or [_only(refusal)]:
            if violation.field not in known:
                self._found.append(
                    Finding(
                        severity=Severity.ERROR,
                        field=violation.field,
                        rule=violation.rule,
                        description=violation.description,
                    )
                )


async def check_template(workspace: Workspace, name: str, findings: Findings) -> None:
    """Notes that the workspace cannot take a job: a warning where that may pass."""
    try:
        await workspace.template(name)
    except Refusal as refusal:
        severity = Severity.WARNING if isinstance(refusal, _FOR_NOW) else Severity.ERROR
        findings.add(severity, "", rules.TEMPLATE, refusal.message)


def _only(refusal: Refusal) -> Violation:
    field = refusal.metadata.get("field", "")
    description = refusal.message.removeprefix(f"{field}: ")
    return Violation(field, description, refusal.metadata.get("rule", ""))
