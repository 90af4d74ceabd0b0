"""Exceptions for refused calls, independent of the transport.

Domain code raises them. `chassis.rpc.translate` turns them into a gRPC status, and a status of a
peer back into the same types, so that an error means the same on both sides of a call.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Self

from chassis.rpc import json_objects, rules
from chassis.rpc.rules import Rule


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that one field of a request breaks."""

    field: str
    description: str
    rule: str
    """Id of the rule, such as FT-001."""


class Refusal(Exception):
    """A call that is refused for a reason that concerns the caller.

    `reason` is a stable UPPER_SNAKE_CASE word for programs and `metadata` has the facts, both as in
    `google.rpc.ErrorInfo`. The message is for people.
    """

    reason: ClassVar[str] = "REFUSED"

    def __init__(
        self,
        message: str,
        *,
        violations: Iterable[Violation] = (),
        reason: str | None = None,
        **metadata: str,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.violations = tuple(violations)
        self.code_reason = reason or self.reason
        self.metadata = metadata

    @classmethod
    def of(cls, violations: Iterable[Violation], reason: str | None = None) -> Self:
        """Makes one error that names every wrong field."""
        found = tuple(violations)
        message = "; ".join(_sentence(v.field, v.description) for v in found)
        return cls(message, violations=found, reason=reason)

    @classmethod
    def at(cls, field: str, rule: Rule, description: str, reason: str | None = None) -> Self:
        """Makes an error about one field."""
        return cls.of([Violation(field, description, rule.id)], reason)

    def about(self, field: str) -> Self:
        """Returns the same refusal, attributed to a field of another request that led to it.

        The names of its own fields stay in the descriptions.
        """
        known = self.metadata.get("field", "")
        metadata = {**self.metadata, **({"field": field} if known else {})}
        violations = [
            Violation(field, _sentence(v.field, v.description), v.rule) for v in self.violations
        ]
        message = "; ".join(_sentence(v.field, v.description) for v in violations)
        return type(self)(
            message or _sentence(field, self.message),
            violations=violations,
            reason=self.code_reason,
            **metadata,
        )


def _sentence(field: str, description: str) -> str:
    return f"{field}: {description}" if field else description


class InvalidArgument(Refusal):
    """The request breaks rules by itself, whatever the studio's state."""

    reason = "INVALID_ARGUMENT"


class NotFound(Refusal):
    """The requested resource does not exist."""

    reason = "NOT_FOUND"


class AlreadyExists(Refusal):
    """The name or id is taken."""

    reason = "ALREADY_EXISTS"


class FailedPrecondition(Refusal):
    """Something that the request refers to is missing or in a wrong state."""

    reason = "FAILED_PRECONDITION"


class PermissionDenied(Refusal):
    """The caller may not do this."""

    reason = "PERMISSION_DENIED"


class Unauthenticated(Refusal):
    """The caller gave no valid credentials."""

    reason = "UNAUTHENTICATED"


class ResourceExhausted(Refusal):
    """A limit is reached."""

    reason = "RESOURCE_EXHAUSTED"


def answer_too_large(method: str, size: str, limit: int) -> ResourceExhausted:
    """Makes the refusal of an answer that does not fit into a message. gRPC's own refusal does not
    say what to do."""
    return ResourceExhausted(
        f"the answer of {method} has {size} bytes; {limit} are allowed. Request a list page by "
        "page, or an export by StreamExport",
        reason="ANSWER_TOO_LARGE",
    )


class Aborted(Refusal):
    """Another call interfered; a retry may succeed."""

    reason = "ABORTED"


class Unavailable(Refusal):
    """Something that is needed does not answer; the call may be retried."""

    reason = "UNAVAILABLE"


class DeadlineExceeded(Refusal):
    """The time was not enough; the work may have been done or not."""

    reason = "DEADLINE_EXCEEDED"


class Unimplemented(Refusal):
    """The studio cannot do this."""

    reason = "UNIMPLEMENTED"


class Internal(Refusal):
    """A fault of the studio itself. Details are in its log, not in the message."""

    reason = "INTERNAL"


class Violations:
    """Collects the violations of a request, to report all of them at once."""

    def __init__(self) -> None:
        self.found: list[Violation] = []

    def add(self, field: str, rule: Rule, description: str) -> None:
        """Adds a violation of the rule by `field`."""
        self.found.append(Violation(field, description, rule.id))

    def check(self, field: str, rule: Rule, holds: bool, description: str) -> bool:
        """Adds a violation unless the rule holds; returns `holds`."""
        if not holds:
            self.add(field, rule, description)
        return holds

    def required(self, field: str, value: str) -> str:
        """Returns the stripped value; adds a violation if it is empty."""
        stripped = value.strip()
        self.check(field, rules.REQUIRED, bool(stripped), "is required and must not be blank")
        return stripped

    def one_of(self, field: str, value: str, known: type[StrEnum]) -> None:
        """Adds a violation unless the value is a member of the enumeration."""
        values = [one.value for one in known]
        description = f"must be one of {', '.join(values)}, not {value!r}"
        self.check(field, rules.KNOWN_VALUE, value in values, description)

    def json_object(self, field: str, text: str) -> dict[str, Any] | None:
        """Returns the JSON object in the text; None, with a violation, if it is not one."""
        try:
            return json_objects.parse(text)
        except json_objects.JsonFault as fault:
            self.add(field, rules.JSON_OBJECT, f"must be a JSON object: {fault}")
            return None

    def raise_if_any(self) -> None:
        """Raises InvalidArgument with every violation so far, if there is one."""
        if self.found:
            raise InvalidArgument.of(self.found)
