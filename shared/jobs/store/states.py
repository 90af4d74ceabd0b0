"""The states of a job, which moves between them are allowed, and what the workspace calls them."""

from collections.abc import Mapping

from ft.enums import JobState

OF_ENGINE = {
    "ENGINE_SCHEDULING": JobState.SCHEDULED,
    "ENGINE_STARTING": JobState.SCHEDULED,
    "ENGINE_RUNNING": JobState.RUNNING,
    "ENGINE_STOPPING": JobState.STOPPING,
    "ENGINE_STOPPED": JobState.STOPPED,
    "ENGINE_SUCCEEDED": JobState.SUCCEEDED,
    "ENGINE_FAILED": JobState.FAILED,
    "ENGINE_TIMEDOUT": JobState.TIMED_OUT,
}
"""A run's status in the workspace, and the job's state. ENGINE_UNKNOWN says nothing new."""

_OUTCOMES = frozenset(
    {JobState.SUCCEEDED, JobState.FAILED, JobState.STOPPED, JobState.TIMED_OUT, JobState.LOST}
)
MOVES: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset(
        {JobState.DISPATCHING, JobState.STOPPING, JobState.STOPPED, JobState.FAILED}
    ),
    JobState.DISPATCHING: frozenset({JobState.SCHEDULED, JobState.STOPPING, JobState.FAILED}),
    JobState.SCHEDULED: frozenset({JobState.RUNNING, JobState.STOPPING}) | _OUTCOMES,
    JobState.RUNNING: frozenset({JobState.STOPPING}) | _OUTCOMES,
    # A run may end by itself before the order to stop reaches it.
    JobState.STOPPING: _OUTCOMES,
    JobState.SUCCEEDED: frozenset(),
    # Another attempt.
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.STOPPED: frozenset({JobState.QUEUED}),
    JobState.TIMED_OUT: frozenset({JobState.QUEUED}),
    JobState.LOST: frozenset({JobState.QUEUED}),
    JobState.UNKNOWN: frozenset(),
}
"""Where a job may go from each state. A move that is not listed does not happen."""


def sources(to: JobState) -> list[str]:
    """The states from which a job may come into this one."""
    return [state.value for state, targets in MOVES.items() if to in targets]
