"""The table of datasets."""

from sqlalchemy.orm import Mapped, mapped_column

from chassis.records import Base, Records
from chassis.store import Store


class Dataset(Base):
    """A registered dataset."""

    __tablename__ = "datasets"
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
    """What roles of conversations stand for, a JSON object."""


class DatasetStore(Records[Dataset]):
    """Queries on datasets."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, Dataset)
