"""States of a job, and what the workspace's word for a run means among them."""

from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "QUEUED"
    """Recorded; the workspace has not accepted it yet."""
    SCHEDULED = "SCHEDULED"
    """The workspace has accepted it and waits for room."""
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"
    TIMED_OUT = "TIMED_OUT"

    @property
    def final(self) -> bool:
        """Whether the job has ended."""
        return self in _FINAL


_FINAL = {JobState.SUCCEEDED, JobState.FAILED, JobState.STOPPED, JobState.TIMED_OUT}

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
