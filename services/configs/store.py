"""The table of configs."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.orm import Mapped, mapped_column

from chassis import repeats
from chassis.records import Base, Records
from chassis.store import Store
from services.configs.content import key


class Config(Base):
    """A stored config."""

    __tablename__ = "configs"

    type: Mapped[str | None] = mapped_column(index=True)
    description: Mapped[str | None] = mapped_column(default=None)
    config: Mapped[str | None] = mapped_column(default=None)
    model_family: Mapped[str | None] = mapped_column(default=None)
    is_default: Mapped[int | None] = mapped_column(default=0)
    """1 for configs that the studio ships, 0 for the user's own."""


class ConfigStore(Records[Config]):
    """Queries on configs."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, Config)

    async def add_or_find(self, config: Config, **alike: object) -> Config:
        """The oldest config of the same type and equal content, else the given one, now stored.

        `alike` narrows by further columns which configs may stand in for the given one.
        """
        wanted = key(config.type or "", config.config or "")
        note = repeats.noting(self.store.service)

        def work(connection: Connection) -> Config:
            self.lock(connection)
            query = select(self.table).filter_by(type=config.type, **alike)
            rows = connection.execute(query.order_by(self.table.c.seq)).mappings()
            alike_rows = (row for row in rows if key(row["type"], row["config"] or "") == wanted)
            found = next(map(self.record, alike_rows), None)
            if found is None:
                self.insert(connection, [config])
            stored = found or config
            note(connection, stored.id)
            return stored

        return await self.store.write(work)

    def families(self, allowed: Mapping[str, Collection[Any]]) -> set[str]:
        """Families that shipped configs are meant for, of those configs whose columns have one of
        the allowed values."""
        family = self.table.c.model_family
        query = select(family).where(self.table.c.is_default == 1, *self.among(allowed)).distinct()
        return self.store.read(lambda c: set(filter(None, c.scalars(query))))
