"""The table of adapters."""

from sqlalchemy.orm import Mapped, mapped_column

from chassis.store.engine import Store
from chassis.store.records import Record, Records


class Adapter(Record):
    """A registered adapter."""

    __tablename__ = "adapters"
    RESOURCE = "adapter"
    INDEXED = (
        "type",
        "name",
        "model_id",
        "fine_tuning_job_id",
        "prompt_id",
        "cml_registered_model_id",
        "mlflow_experiment_id",
        "mlflow_run_id",
    )
    LOCATIONS = ("location",)
    OUTCOMES = ("cml_registered_model_id", "mlflow_experiment_id", "mlflow_run_id")

    type: Mapped[str | None]
    name: Mapped[str | None] = mapped_column(index=True)
    description: Mapped[str | None] = mapped_column(default=None)
    """Not in the contract's messages; kept because export files carry it."""
    huggingface_name: Mapped[str | None] = mapped_column(default=None)
    commit: Mapped[str | None] = mapped_column(default=None)
    model_id: Mapped[str | None] = mapped_column(default=None)
    location: Mapped[str | None] = mapped_column(default=None)
    fine_tuning_job_id: Mapped[str | None] = mapped_column(default=None)
    prompt_id: Mapped[str | None] = mapped_column(default=None)
    cml_registered_model_id: Mapped[str | None] = mapped_column(default=None)
    mlflow_experiment_id: Mapped[str | None] = mapped_column(default=None)
    mlflow_run_id: Mapped[str | None] = mapped_column(default=None)


class AdapterStore(Records[Adapter]):
    """Queries on adapters."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, Adapter)
