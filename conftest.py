"""For every test of the repository."""

import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.processes", "tests.postgres"]

# Nothing outside of this machine is asked for anything. Read when the hub's library is imported,
# so set before anything else is.
os.environ["HF_HUB_OFFLINE"] = "1"

# The same cases each time, so that a change is not blamed for what is found by chance;
# `--hypothesis-profile=default` looks for new ones.
# How long it takes to make one says more of the machine than of the code.
settings.register_profile(
    "repeatable", derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nobody listens, held so that nobody will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
