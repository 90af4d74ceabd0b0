# Generated from description.json by codegen/generate.py: do not edit.
"""Values of `ExperimentRunStatus`."""

from __future__ import annotations

from cmlapi.models.base import ApiEnum


class ExperimentRunStatus(ApiEnum):
    """Values of `ExperimentRunStatus`, which travel as plain strings."""

    RUNNING = "EXPERIMENT_RUN_RUNNING"
    SCHEDULED = "EXPERIMENT_RUN_SCHEDULED"
    FINISHED = "EXPERIMENT_RUN_FINISHED"
    FAILED = "EXPERIMENT_RUN_FAILED"
    KILLED = "EXPERIMENT_RUN_KILLED"
