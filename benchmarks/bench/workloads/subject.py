"""The studio that workloads call."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.bench.connection import Connection
from benchmarks.bench.contract import api
from benchmarks.bench.processes import Processes
from benchmarks.bench.settings import Settings


@dataclass(kw_only=True)
class Subject:
    """A studio that serves, and messages that requests to it are made of."""

    connection: Connection
    processes: Processes
    settings: Settings
    prompt: api.PromptMetadata
    """A stored prompt, like which others are added."""
    job_id: str
    """A stored job that has ended."""
    start: api.StartFineTuningJobRequest
    """A request that starts a job, but for the name of its adapter."""
    token: Callable[[str], str]
    """Returns the token of a job that runs; empty until it does."""
