"""The table of export jobs."""

from sqlalchemy import Connection, select
from sqlalchemy.orm import Mapped, mapped_column

from chassis.store.engine import Store
from jobs.execution.lease import LeaseRecord
from jobs.store.history import JobEventRecord
from jobs.store.job_record import JobRecord
from jobs.store.records import JobRecords
from services.models.exports.names import taken
from services.models.store import Model


class ExportJob(JobRecord, kw_only=True):
    """An export job, and the model that it has become."""

    __tablename__ = "export_jobs"
    LOCATIONS = ("location",)
    FOLDERS = ("location", "artifact_location")
    INDEXED = (
        "state",
        "type",
        "model_name",
        "base_model_id",
        "adapter_id",
        "cml_job_id",
        "model_id",
        "cml_registered_model_id",
        "mlflow_experiment_id",
        "mlflow_run_id",
    )
    OUTCOMES = ("model_id", "cml_registered_model_id", "mlflow_experiment_id", "mlflow_run_id")

    type: Mapped[str]
    base_model_id: Mapped[str]
    adapter_id: Mapped[str]
    model_name: Mapped[str]
    model_description: Mapped[str]
    artifact_location: Mapped[str]
    generation_config: Mapped[str]
    location: Mapped[str]
    num_cpu: Mapped[int]
    num_gpu: Mapped[int]
    num_memory: Mapped[int]
    model_id: Mapped[str | None] = mapped_column(default=None)
    cml_registered_model_id: Mapped[str | None] = mapped_column(default=None)
    mlflow_experiment_id: Mapped[str | None] = mapped_column(default=None)
    mlflow_run_id: Mapped[str | None] = mapped_column(default=None)

    def folder(self) -> str:
        return self.location


class ExportEvent(JobEventRecord, kw_only=True):
    """Something that happened to an export job."""

    __tablename__ = "export_job_events"


class ExportLease(LeaseRecord, kw_only=True):
    """The lease of the process that reconciles export jobs."""

    __tablename__ = "export_lease"


class ExportStore(JobRecords[ExportJob]):
    """Queries on export jobs."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, ExportJob, ExportEvent)

    def require_startable(self, connection: Connection, job: ExportJob) -> None:
        """Raises AlreadyExists if the job's name is a model's, or that of an export under way."""
        # In this order: what is under way becomes a model before it ends.
        named = self.table.c.model_name == job.model_name
        underway = select(self.table.c.id).where(named, self.underway)
        if (job_id := connection.scalar(underway)) is not None:
            raise taken(job.model_name, job_id, "among the export jobs under way")
        models = Model.table()
        of_model = select(models.c.id).where(models.c.name == job.model_name)
        if (model_id := connection.scalar(of_model)) is not None:
            raise taken(job.model_name, model_id, "among the models")
