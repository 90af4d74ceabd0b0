"""The table of configs."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.orm import Mapped, mapped_column

from chassis.rpc.domain_request import RequestKey
from chassis.store.engine import Store
from chassis.store.records import NO_REQUEST, Record, Records
from ft.enums import ConfigType
from services.configs import content

SHIPPED_IDS = uuid.UUID("d4cc2431-93b0-4638-ab33-e6d903fbe96b")
"""Namespace of the ids of shipped configs, see migration 0002."""


def shipped_id(type: str, description: str) -> str:
    """Id under which every studio of this kind ships a config."""
    return str(uuid.uuid5(SHIPPED_IDS, f"{type} {description}".strip()))


class Config(Record):
    """A stored config."""

    __tablename__ = "configs"
    RESOURCE = "config"
    INDEXED = ("type",)

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

    async def add_or_find(
        self, config: Config, key: RequestKey = NO_REQUEST, **alike: object
    ) -> Config:
        """Returns the oldest config of the same type and equal content, else adds the given one.

        `alike` narrows by further columns which configs may stand in for the given one.
        """
        identity = content.key(config.type or "", config.config or "")

        def work(connection: Connection) -> Config:
            self.lock(connection)
            query = select(self.table).filter_by(type=config.type, **alike)
            rows = connection.execute(query.order_by(self.table.c.seq)).mappings()
            hidden = self.stepped_back_in(connection)
            equal = (
                self.record(row)
                for row in rows
                if row["id"] not in hidden
                and content.key(row["type"], row["config"] or "") == identity
            )
            found = next(equal, None)
            if found is None:
                self.insert(connection, [config])
            self.requests.save(connection, key, (found or config).id)
            return found or config

        return await self.store.write(work)

    def stepped_back(self, for_model: bool = False) -> set[str]:
        """Ids of the studio's shipped configs that lists leave out, because an import has brought
        another studio's shipped config of the same type and content under an id of its own.

        In a list `for_model`, one that is meant for a family of models replaces none that is meant
        for all: of a model of no known family, ours is still the one to begin with.
        """
        return self.store.read(lambda connection: self.stepped_back_in(connection, for_model))

    def stepped_back_in(self, connection: Connection, for_model: bool = False) -> set[str]:
        """Returns the ids of `stepped_back`, as a connection reads them."""
        shipped: dict[tuple[str, str, str], str] = {}
        theirs = set()
        query = select(self.table).where(self.table.c.is_default == 1)
        for row in connection.execute(query):
            is_format = row.type == ConfigType.AXOLOTL_DATASET_FORMATS
            # Several formats have the same columns: their names tell them apart.
            name = row.description or "" if is_format else ""
            identity = (row.type or "", name, content.key(row.type or "", row.config or ""))
            if row.id == shipped_id(row.type or "", row.description or ""):
                shipped[identity] = row.id
            elif not (for_model and row.model_family):
                theirs.add(identity)
        return {id for identity, id in shipped.items() if identity in theirs}

    def families(self, allowed: Mapping[str, Collection[Any]]) -> set[str]:
        """Families that shipped configs are meant for, of those configs whose columns have one of
        the allowed values."""
        family = self.table.c.model_family
        query = select(family).where(self.table.c.is_default == 1, *self.among(allowed)).distinct()
        return self.store.read(lambda c: set(filter(None, c.scalars(query))))
