# Generated from description.json by codegen/generate.py: do not edit.
"""Values of `ApplicationStatus`."""

from __future__ import annotations

from cmlapi.models.base import ApiEnum


class ApplicationStatus(ApiEnum):
    """Values of `ApplicationStatus`, which travel as plain strings."""

    UNKNOWN = "APPLICATION_UNKNOWN"
    STARTING = "APPLICATION_STARTING"
    RUNNING = "APPLICATION_RUNNING"
    STOPPING = "APPLICATION_STOPPING"
    STOPPED = "APPLICATION_STOPPED"
    FAILED = "APPLICATION_FAILED"
