"""ORM sessions over the chassis' store."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from chassis.store.engine import Store

T = TypeVar("T")
MIGRATIONS = Path(__file__).parents[1] / "migrations"


class Database:
    """The workbench's tables. The result of `work` must not need its session any more."""

    def __init__(self, service: str, url: str) -> None:
        self._store = Store(service, url, MIGRATIONS)

    async def open(self) -> None:
        """Connects, and migrates the schema."""
        await self._store.open()

    async def close(self) -> None:
        """Finishes pending writes and closes the file."""
        await self._store.close()

    def read(self, work: Callable[[Session], T]) -> T:
        """Returns what `work` reads."""
        return self._store.read(lambda connection: _in_session(connection, work))

    async def write(self, work: Callable[[Session], T]) -> T:
        """Runs `work` in one transaction; returns its result when it is on disk."""
        return await self._store.write(lambda connection: _in_session(connection, work))


def _in_session(connection: Connection, work: Callable[[Session], T]) -> T:
    with Session(connection, expire_on_commit=False) as session:
        result = work(session)
        session.commit()
        return result
