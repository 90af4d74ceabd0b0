"""What kind of failure ended a job, and after which kinds it is tried again by itself."""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta

from chassis.rpc.errors import Violations
from ft.enums import FailureKind, JobState
from ft.proto.fine_tuning_studio_types_pb2 import RetryPolicy
from jobs import rules

MAX_ATTEMPTS = 10
FIRST_PAUSE = timedelta(seconds=10)
"""How long the second attempt waits; each further one waits twice as long."""
LONGEST_PAUSE = timedelta(minutes=10)
MAY_PASS = (FailureKind.CRASHED, FailureKind.ERROR, FailureKind.LOST, FailureKind.TIMED_OUT)
"""Failures after which another attempt may end differently."""
USUAL = (FailureKind.CRASHED, FailureKind.LOST, FailureKind.TIMED_OUT)
"""Those of them after which a job is tried again unless the policy says otherwise."""
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
    """How an attempt at a job has failed."""

    kind: str
    cause: str
    """A sentence for people."""
    actor: str
    """Who told of it."""


@dataclass(frozen=True, slots=True)
class Retries:
    """When a job is tried again by itself."""

    max_attempts: int
    """In all, the first among them."""
    on: tuple[str, ...]
    """Kinds of failures."""

    @classmethod
    def asked(cls, policy: RetryPolicy) -> "Retries":
        """What a request asks for."""
        return cls(policy.max_attempts, tuple(policy.on) or USUAL)

    @classmethod
    def read(cls, text: str) -> "Retries":
        """The policy as a record keeps it. Raises ValueError if that is none."""
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
        """Notes every rule that the policy breaks."""
        number = self.max_attempts
        # A record may say anything: True is an int to Python.
        holds = isinstance(number, int) and number is not True and 1 <= number <= MAX_ATTEMPTS
        description = f"must be from 1 to {MAX_ATTEMPTS}, not {number}"
        found.check(f"{field}.max_attempts", rules.ATTEMPTS, holds, description)
        for position, kind in enumerate(self.on):
            description = f"must be one of {', '.join(MAY_PASS)}, not {kind!r}"
            found.check(f"{field}.on[{position}]", rules.RETRIED, kind in MAY_PASS, description)

    def stored(self) -> str:
        """The policy as a record keeps it."""
        return json.dumps(asdict(self))

    def message(self) -> RetryPolicy:
        """The policy as clients see it."""
        return RetryPolicy(max_attempts=self.max_attempts, on=self.on)

    def allow(self, kind: str | None, attempt: int) -> bool:
        """Whether an attempt that failed so is followed by another."""
        return kind in self.on and attempt < self.max_attempts


def pause_after(attempt: int, first: timedelta) -> timedelta:
    """How long the next attempt waits after one that failed, counted from 1."""
    doublings: int = 2 ** (attempt - 1)
    return min(first * doublings, max(first, LONGEST_PAUSE))


def reported_kind(kind: str) -> FailureKind:
    """The kind of failure that a job has reported; ERROR for one that jobs cannot report."""
    return FailureKind(kind) if kind in _REPORTED else FailureKind.ERROR


def kind_of(state: JobState, lines: list[str]) -> FailureKind:
    """What kind of failure it was that a job said nothing of, by the last lines of its log."""
    if state in _OF_STATE:
        return _OF_STATE[state]
    # What a shell says of a process that got SIGKILL, which on its own is the kernel's doing.
    killed = bool(lines) and lines[-1] == "Killed"
    text = "\n".join(lines).lower()
    if killed or any(words in text for words in _MEMORY_WORDS):
        return FailureKind.OUT_OF_MEMORY
    return FailureKind.CRASHED
