"""Steps that create exactly one job and one run in the workspace for a recorded job.

The workspace's API has no idempotency key: a create request without an answer may have been served,
may be served later, or never. Therefore the record is committed first, and before each create
request a mark is stored that it may be on its way. A process that finds such a mark, after a crash
or a lost answer, waits until the request can no longer arrive, searches for the result, and creates
only if it finds none. The time to wait is an assumption, so there is a second safeguard: a run
first claims its job (see `trainer.job.claim`), and a second run ends before it costs anything.

This module only decides; `jobs.execution.dispatch` acts. `tests/test_exactly_once.py` runs these
decisions through every interleaving of crashes, lost answers and late requests.
"""

from dataclasses import dataclass
from enum import Enum, auto


class Step(Enum):
    """The next step for a job."""

    WAIT = auto()
    """Wait until a request that was sent can no longer arrive."""
    FIND_JOB = auto()
    CREATE_JOB = auto()
    FIND_RUN = auto()
    CREATE_RUN = auto()
    DONE = auto()


@dataclass(frozen=True, slots=True)
class Known:
    """Facts about a job on its way into the workspace."""

    has_job: bool
    """The workspace job's id is recorded."""
    has_run: bool
    """The run's id is recorded."""
    unanswered: bool
    """A create request may have been sent, and its answer is not recorded."""
    settled: bool
    """That request, if there is one, can no longer arrive."""
    looked: bool
    """The workspace was searched after that, and nothing was found."""


def next_step(known: Known) -> Step:
    """The only step that is safe now."""
    if known.has_run:
        return Step.DONE
    if known.unanswered and not known.looked:
        if not known.settled:
            return Step.WAIT
        return Step.FIND_RUN if known.has_job else Step.FIND_JOB
    return Step.CREATE_RUN if known.has_job else Step.CREATE_JOB
