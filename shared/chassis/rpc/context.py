"""What rides along with a call: who asks, under which id, and until when."""

import time
import uuid
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass

from ft.job_protocol.reports import KIND_METADATA

REQUEST_ID = "x-request-id"
CALLER = "x-caller"
HOP_SECONDS = 0.05
"""What each hop keeps for itself, so that the inner service reports the more specific timeout."""


@dataclass(frozen=True, slots=True)
class Call:
    """The call that is being served."""

    request_id: str
    caller: str
    deadline: float
    """On the clock of `time.monotonic`."""
    job_kind: str = ""
    """Kind of the job that calls; empty if it does not say so, or if no job calls."""

    def remaining(self) -> float:
        """Seconds that a further hop may take; never below a hundredth."""
        return max(self.deadline - time.monotonic() - HOP_SECONDS, 0.01)

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What to hand on to a peer."""
        return ((REQUEST_ID, self.request_id), (CALLER, self.caller))


_current: ContextVar[Call | None] = ContextVar("call", default=None)


def incoming(
    metadata: Iterable[tuple[str, str | bytes]] | None,
    time_remaining: float | None,
    deadline_seconds: float,
) -> Call:
    """Makes the call that arrives the current one. A call without a deadline gets the default."""
    sent = dict(metadata or ())
    seconds = min(time_remaining, 86_400.0) if time_remaining is not None else deadline_seconds
    call = Call(
        request_id=str(sent.get(REQUEST_ID) or uuid.uuid4().hex),
        caller=str(sent.get(CALLER) or ""),
        deadline=time.monotonic() + seconds,
        job_kind=str(sent.get(KIND_METADATA) or ""),
    )
    _current.set(call)
    return call


def current(deadline_seconds: float) -> Call:
    """The call being served; outside of one (background work) a new one with that deadline."""
    call = _current.get()
    if call is None:
        return Call(uuid.uuid4().hex, "", time.monotonic() + deadline_seconds)
    return call
