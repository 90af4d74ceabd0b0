"""What the workspace's word for a run means among the states of a job."""

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
