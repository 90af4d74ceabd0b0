# Generated from description.json by codegen/generate.py: do not edit.
"""Values of `EngineStatus`."""

from __future__ import annotations

from cmlapi.models.base import ApiEnum


class EngineStatus(ApiEnum):
    """Values of `EngineStatus`, which travel as plain strings."""

    SCHEDULING = "ENGINE_SCHEDULING"
    STARTING = "ENGINE_STARTING"
    RUNNING = "ENGINE_RUNNING"
    STOPPING = "ENGINE_STOPPING"
    STOPPED = "ENGINE_STOPPED"
    UNKNOWN = "ENGINE_UNKNOWN"
    SUCCEEDED = "ENGINE_SUCCEEDED"
    FAILED = "ENGINE_FAILED"
    TIMEDOUT = "ENGINE_TIMEDOUT"
