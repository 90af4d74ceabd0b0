"""The table of datasets."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from chassis.rpc.errors import Violations
from chassis.store.engine import Store
from chassis.store.records import Record, Records
from services.datasets import roles_text


class Dataset(Record):
    """A registered dataset."""

    __tablename__ = "datasets"
    RESOURCE = "dataset"
    INDEXED = ("type", "name")
    LOCATIONS = ("location",)

    type: Mapped[str | None]
    name: Mapped[str | None] = mapped_column(index=True)
    description: Mapped[str | None] = mapped_column(default=None)
    huggingface_name: Mapped[str | None] = mapped_column(default=None)
    location: Mapped[str | None] = mapped_column(default=None)
    features: Mapped[str | None] = mapped_column(default=None)
    """Column names, a JSON list."""
    commit: Mapped[str | None] = mapped_column(default=None)
    """Of a dataset of the hub, as it was registered."""
    roles: Mapped[str | None] = mapped_column(default=None)
    """Mapping of the roles of conversations, a JSON object."""

    @classmethod
    def complete(cls, place: str, values: dict[str, Any], found: Violations) -> None:
        if text := values.get("roles"):
            roles_text.check(text, f"{place}.roles", found)


class DatasetStore(Records[Dataset]):
    """Queries on datasets."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, Dataset)

    def locations(self) -> set[str]:
        """Locations of all datasets."""
        query = select(self.table.c.location).distinct()
        return self.store.read(lambda connection: set(filter(None, connection.scalars(query))))
