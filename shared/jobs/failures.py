"""Kinds of failures of jobs, and the policy for automatic retries."""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta

from chassis.rpc.errors import Violations
from ft.enums import FailureKind, JobState
from ft.proto.fine_tuning_studio_types_pb2 import RetryPolicy
from jobs import rules

MAX_ATTEMPTS = 10
FIRST_PAUSE = timedelta(seconds=10)
"""Pause before the second attempt; each further pause is twice as long."""
LONGEST_PAUSE = timedelta(minutes=10)
MAY_PASS = (FailureKind.CRASHED, FailureKind.ERROR, FailureKind.LOST, FailureKind.TIMED_OUT)
"""Failures after which another attempt may end differently."""
USUAL = (FailureKind.CRASHED, FailureKind.LOST, FailureKind.TIMED_OUT)
"""Failures after which a job is retried if the policy names none."""
_REPORTED = (FailureKind.USER_ERROR, FailureKind.OUT_OF_MEMORY, FailureKind.ERROR)
_OF_STATE = {JobState.LOST: FailureKind.LOST, JobState.TIMED_OUT: FailureKind.TIMED_OUT}
_MEMORY_WORDS = (
    "out of memory",
    "outofmemory",
    "oomkilled",
    "oom-kill",
    "can't allocate memory",
    "cannot allocate memory",
    "memoryerror",
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Failure of an attempt at a job."""

    kind: str
    cause: str
    """A sentence for people."""
    actor: str
    """Reporter of the failure: an actor of `jobs.store.history`."""


@dataclass(frozen=True, slots=True)
class Retries:
    """Policy for automatic retries of a job."""

    max_attempts: int
    """Most attempts, including the first."""
    on: tuple[str, ...]
    """Kinds of failures after which the job is retried."""

    @classmethod
    def asked(cls, policy: RetryPolicy) -> "Retries":
        """Makes the policy of a request."""
        return cls(policy.max_attempts, tuple(policy.on) or USUAL)

    @classmethod
    def read(cls, text: str) -> "Retries":
        """Reads a stored policy. Raises ValueError if it is not valid."""
        try:
            content = json.loads(text)
            policy = cls(content["max_attempts"], tuple(content["on"]))
        except (TypeError, KeyError, RecursionError) as error:
            raise ValueError(str(error)) from error
        found = Violations()
        policy.check("retry", found)
        if found.found:
            raise ValueError(found.found[0].description)
        return policy

    def check(self, field: str, found: Violations) -> None:
        """Adds a violation for every rule that the policy breaks."""
        number = self.max_attempts
        # A record may say anything: True is an int to Python.
        holds = isinstance(number, int) and number is not True and 1 <= number <= MAX_ATTEMPTS
        description = f"must be from 1 to {MAX_ATTEMPTS}, not {number}"
        found.check(f"{field}.max_attempts", rules.ATTEMPTS, holds, description)
        for position, kind in enumerate(self.on):
            description = f"must be one of {', '.join(MAY_PASS)}, not {kind!r}"
            found.check(f"{field}.on[{position}]", rules.RETRIED, kind in MAY_PASS, description)

    def stored(self) -> str:
        """Returns the text to store."""
        return json.dumps(asdict(self))

    def message(self) -> RetryPolicy:
        """Returns the policy as clients see it."""
        return RetryPolicy(max_attempts=self.max_attempts, on=self.on)

    def allow(self, kind: str | None, attempt: int) -> bool:
        """Tells whether another attempt follows one that failed with that kind of failure."""
        return kind in self.on and attempt < self.max_attempts


def pause_after(attempt: int, first: timedelta) -> timedelta:
    """Returns the pause after a failed attempt, whose number begins with 1."""
    doublings: int = 2 ** (attempt - 1)
    return min(first * doublings, max(first, LONGEST_PAUSE))


def reported_kind(kind: str) -> FailureKind:
    """The kind of failure that a job has reported; ERROR for one that jobs cannot report."""
    return FailureKind(kind) if kind in _REPORTED else FailureKind.ERROR


def kind_of(state: JobState, lines: list[str]) -> FailureKind:
    """Returns the kind of an unreported failure, from the last lines of the job's log."""
    if state in _OF_STATE:
        return _OF_STATE[state]
    # A shell prints this for a process that got SIGKILL, which usually comes from the kernel.
    killed = bool(lines) and lines[-1] == "Killed"
    text = "\n".join(lines).lower()
    if killed or any(words in text for words in _MEMORY_WORDS):
        return FailureKind.OUT_OF_MEMORY
    return FailureKind.CRASHED
