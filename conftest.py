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
# `--hypothesis-profile=default` looks for new ones, and `make fuzz-properties` for many.
# How long it takes to make one says more of the machine than of the code.
settings.register_profile(
    "repeatable",
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("quick", settings.get_profile("repeatable"), max_examples=10)
settings.register_profile("long", max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repeatable")


LONG = ("tests/e2e", "tests/faults", "tests/fuzz", "shared/rows")
"""Folders with the longest tests."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest tests first: several workers then end at about the same time."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nobody listens, held so that nobody will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
