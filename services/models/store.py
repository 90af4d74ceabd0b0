"""The table of models."""

from sqlalchemy.orm import Mapped, mapped_column

from chassis.store.engine import Store
from chassis.store.records import Record, Records


class Model(Record):
    """A registered base model."""

    __tablename__ = "models"
    RESOURCE = "model"
    INDEXED = (
        "type",
        "name",
        "cml_registered_model_id",
        "mlflow_experiment_id",
        "mlflow_run_id",
    )
    LOCATIONS = ("location",)

    type: Mapped[str | None]
    framework: Mapped[str | None] = mapped_column(default=None)
    name: Mapped[str | None] = mapped_column(default=None, index=True)
    description: Mapped[str | None] = mapped_column(default=None)
    """Not in the contract's messages; kept because export files carry it."""
    huggingface_model_name: Mapped[str | None] = mapped_column(default=None)
    location: Mapped[str | None] = mapped_column(default=None)
    cml_registered_model_id: Mapped[str | None] = mapped_column(default=None)
    mlflow_experiment_id: Mapped[str | None] = mapped_column(default=None)
    mlflow_run_id: Mapped[str | None] = mapped_column(default=None)
    commit: Mapped[str | None] = mapped_column(default=None)
    """Of a model of the hub, as it was registered."""


class ModelStore(Records[Model]):
    """Queries on models."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, Model)

    def named(self, name: str) -> Model | None:
        """The oldest model of that name, else the oldest that has it on the hub."""
        return self.one(name=name) or self.one(huggingface_model_name=name)
