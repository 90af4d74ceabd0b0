"""Context of the call being served: caller, request id and deadline."""

import os
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import NamedTuple

from ft.job_protocol.reports import KIND_METADATA

REQUEST_ID = "x-request-id"
CALLER = "x-caller"
HOP_SECONDS = 0.05
"""Time that each hop subtracts from the deadline, so that the last service reports the timeout."""


class CallContext(NamedTuple):
    """The call that is being served."""

    request_id: str
    caller: str
    deadline: float
    """On the clock of `time.monotonic`."""
    job_kind: str = ""
    """Kind of the job that calls; empty if it does not say so, or if no job calls."""

    def remaining(self) -> float:
        """Returns the seconds that a further hop may take, at least 0.01."""
        return max(self.deadline - time.monotonic() - HOP_SECONDS, 0.01)

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Returns the metadata for a call to a peer."""
        request_id = (REQUEST_ID, self.request_id)
        return (request_id, (CALLER, self.caller)) if self.caller else (request_id,)


_current: ContextVar[CallContext | None] = ContextVar("call", default=None)


def incoming(
    metadata: Iterable[tuple[str, str | bytes]] | None,
    time_remaining: float | None,
    deadline_seconds: float,
) -> CallContext:
    """Sets the current call from incoming metadata; `deadline_seconds` is its default deadline."""
    sent = dict(metadata or ())
    seconds = min(time_remaining, 86_400.0) if time_remaining is not None else deadline_seconds
    call = CallContext(
        request_id=str(sent.get(REQUEST_ID) or _new_request_id()),
        caller=str(sent.get(CALLER) or ""),
        deadline=time.monotonic() + seconds,
        job_kind=str(sent.get(KIND_METADATA) or ""),
    )
    _current.set(call)
    return call


def current(deadline_seconds: float) -> CallContext:
    """Returns the call being served, or a new one with that deadline outside of a call."""
    call = _current.get()
    if call is None:
        return CallContext(_new_request_id(), "", time.monotonic() + deadline_seconds)
    return call


def served() -> CallContext | None:
    """Returns the call being served; None outside of a call."""
    return _current.get()


def _new_request_id() -> str:
    return os.urandom(16).hex()
