"""Why a call is refused, without a word about transport.

Domain code raises these; `chassis.translate` turns them into a gRPC status on the way out and back
into the same types on the way in, so that an error means the same on both sides of a hop.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that one field of a request breaks."""

    field: str
    description: str


class Refusal(Exception):
    """A call that is refused for a reason that the caller can be told.

    `reason` is a stable UPPER_SNAKE_CASE word for programs, `metadata` the facts behind it, both
    as in `google.rpc.ErrorInfo`. The message is for people.
    """

    reason: ClassVar[str] = "REFUSED"

    def __init__(self, message: str, *, reason: str | None = None, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.code_reason = reason or self.reason
        self.metadata = metadata


class InvalidArgument(Refusal):
    """The request breaks rules by itself, whatever the studio's state."""

    reason = "INVALID_ARGUMENT"

    def __init__(
        self,
        message: str,
        *,
        violations: Iterable[Violation] = (),
        reason: str | None = None,
        **metadata: str,
    ) -> None:
        super().__init__(message, reason=reason, **metadata)
        self.violations = tuple(violations)

    @classmethod
    def of(cls, violations: Iterable[Violation]) -> "InvalidArgument":
        """One error that names every field that is wrong."""
        found = tuple(violations)
        return cls("; ".join(f"{v.field}: {v.description}" for v in found), violations=found)


class NotFound(Refusal):
    """The thing that was asked for does not exist."""

    reason = "NOT_FOUND"


class AlreadyExists(Refusal):
    """The name or id is taken."""

    reason = "ALREADY_EXISTS"


class FailedPrecondition(Refusal):
    """Something that the request refers to is missing or not in a fit state."""

    reason = "FAILED_PRECONDITION"


class PermissionDenied(Refusal):
    """The caller may not do this."""

    reason = "PERMISSION_DENIED"


class Unauthenticated(Refusal):
    """The caller did not say who it is, or not convincingly."""

    reason = "UNAUTHENTICATED"


class ResourceExhausted(Refusal):
    """A limit is reached."""

    reason = "RESOURCE_EXHAUSTED"


class Aborted(Refusal):
    """Another call got in between; trying again may succeed."""

    reason = "ABORTED"


class Unavailable(Refusal):
    """Something that is needed is away for now; the call may be sent again."""

    reason = "UNAVAILABLE"


class DeadlineExceeded(Refusal):
    """There was not enough time; whether the work was done is not known."""

    reason = "DEADLINE_EXCEEDED"


class Unimplemented(Refusal):
    """The studio cannot do this."""

    reason = "UNIMPLEMENTED"


class Internal(Refusal):
    """A fault of the studio's own. Details are in its log, not in the message."""

    reason = "INTERNAL"


class Violations:
    """Collects what is wrong with a request, to report all of it at once."""

    def __init__(self) -> None:
        self._found: list[Violation] = []

    def add(self, field: str, description: str) -> None:
        """Notes that `field` breaks a rule."""
        self._found.append(Violation(field, description))

    def check(self, field: str, holds: bool, description: str) -> bool:
        """Notes `description` against `field` unless the rule holds; returns whether it does."""
        if not holds:
            self.add(field, description)
        return holds

    def required(self, field: str, value: str) -> str:
        """The stripped value; noted as missing if nothing is left of it."""
        stripped = value.strip()
        self.check(field, bool(stripped), "is required and must not be blank")
        return stripped

    def json_object(self, field: str, text: str) -> None:
        """Noted as wrong unless the text is a JSON object."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            self.add(field, f"must be a JSON object: {error}")
            return
        self.check(field, isinstance(value, dict), "must be a JSON object")

    def raise_if_any(self) -> None:
        """Raises InvalidArgument with every violation so far, if there is one."""
        if self._found:
            raise InvalidArgument.of(self._found)
