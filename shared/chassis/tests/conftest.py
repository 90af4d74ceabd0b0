"""Stores on databases of both kinds, with a table to try them on."""

import io
import pickle
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.orm import Mapped, mapped_column

from chassis.ids import new_id
from chassis.rpc import errors
from chassis.store.engine import Store
from chassis.store.forms import MessageForm
from chassis.store.pages import Pages
from chassis.store.records import Record, Records
from chassis.store.scan import Wanted
from chassis.store.whole import WholeList
from ft.proto.fine_tuning_studio_pb2 import DatasetMetadata, ListDatasetsRequest


class Thing(Record):
    """A record to store."""

    __tablename__ = "things"
    INDEXED = ("name",)

    name: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(default=None)
    weight: Mapped[float | None] = mapped_column(default=None)


FIELDS = ("name", "size", "weight", "created_at")
"""What a list of things can be filtered and sorted by."""
MIGRATION = """
import sqlalchemy as sa
from alembic import op
from chassis.store.indexes import create_indexes

revision = "0001"
down_revision = None


def upgrade():
    op.create_table(
        "things",
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("name", sa.String),
        sa.Column("size", sa.Integer),
        sa.Column("weight", sa.Float(53)),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
    )
    create_indexes("things", ["id", "name", "created_at", "updated_at"])
"""


class ThingPages:
    """Pages of things, as records."""

    def __init__(self, things: Records[Thing], names: Collection[str]) -> None:
        self._things = things
        form = MessageForm(DatasetMetadata, Thing.table())
        self.pages = Pages(things, names, form.columns, pickle.dumps)
        self.lists = WholeList(things.store, self.pages, "ListThings", form, pickle.dumps)

    def wanted(self, request: Any, allowed: Mapping[str, Collection[Any]] | None = None) -> Wanted:
        """What a request asks for."""
        return self.pages.wanted(request, allowed or {}, ())

    def page(
        self, request: Any, allowed: Mapping[str, Collection[Any]] | None = None
    ) -> tuple[list[Thing], str]:
        """The things of a page, and the token of the next one."""
        items, token = self.pages.page(request, self.wanted(request, allowed))
        return self._read(b"".join(items)), token

    async def whole(
        self, request: Any, allowed: Mapping[str, Collection[Any]] | None = None
    ) -> list[Thing]:
        """All things that a request asks for."""
        return self._read(await self.lists.some(self.wanted(request, allowed)))

    def _read(self, items: bytes) -> list[Thing]:
        things, file = {one.id: one for one in self._things.all()}, io.BytesIO(items)
        return [things[pickle.load(file)[0]] for _ in iter(lambda: file.tell() < len(items), False)]


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """A service's folder of revisions."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_things.py").write_text(MIGRATION)
    return folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.starts_processes)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/things.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def service() -> str:
    """The service that the store belongs to."""
    return "things"


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


@pytest.fixture
def pages(things: Records[Thing]) -> ThingPages:
    """The table as a list."""
    return ThingPages(things, FIELDS)


many = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""For properties of a store, which is the same one for every example."""


def thing(**values: Any) -> Thing:
    """A record with these values."""
    return Thing(id=new_id(), **{"name": None, **values})


async def fill(things: Records[Thing], rows: Sequence[Thing]) -> None:
    """Adds all at once."""
    await things.store.write(lambda connection: things.insert(connection, rows))


def refusal(pages: ThingPages, **fields: Any) -> errors.Violation:
    """The one thing that is wrong with a request."""
    with pytest.raises(errors.InvalidArgument) as refused:
        pages.page(ListDatasetsRequest(**fields))
    [violation] = refused.value.violations
    return violation
