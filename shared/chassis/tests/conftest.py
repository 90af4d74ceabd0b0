"""Stores on databases of both kinds, with a table to try them on."""

from collections.abc import AsyncIterator
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
