"""Steps that bring a recorded job to exactly one job and one run in the workspace.

The workspace's API has no idempotency key: a create request whose answer is lost may have been
served, may be served later, or never. So the record is committed first; every create request is
preceded by a durable mark that it may be under way; whoever finds such a mark, after a crash or a
lost answer, first waits until the request can no longer land, then looks for what it has made, and
only then creates. What bounds the waiting is trusted but not relied on alone: a run's first act is
to claim its job (see `trainer.job.claim`), and a second run ends before it costs anything.

This module only decides; `jobs.execution.dispatch` acts. `tests/test_exactly_once.py` runs these
decisions through every interleaving of crashes, lost answers and late requests.
"""

from dataclasses import dataclass
from enum import Enum, auto


class Step(Enum):
    """The next step for a job."""

    WAIT = auto()
    """Until a request that may be under way can no longer land."""
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
    """A create request may have been sent whose answer is not recorded."""
    settled: bool
    """That request, if there is one, can no longer land."""
    looked: bool
    """The workspace was looked through after that, and nothing was found."""


def next_step(known: Known) -> Step:
    """The one step that is safe now."""
    if known.has_run:
        return Step.DONE
    if known.unanswered and not known.looked:
        if not known.settled:
            return Step.WAIT
        return Step.FIND_RUN if known.has_job else Step.FIND_JOB
    return Step.CREATE_RUN if known.has_job else Step.CREATE_JOB
