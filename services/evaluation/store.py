"""The table of evaluation jobs."""

from sqlalchemy.orm import Mapped, mapped_column

from chassis.store.engine import Store
from jobs.execution.lease import LeaseRecord
from jobs.store.history import JobEventRecord
from jobs.store.job_record import JobRecord
from jobs.store.records import JobRecords


class EvaluationJob(JobRecord, kw_only=True):
    """An evaluation job with copies of the settings that it was started with."""

    __tablename__ = "evaluation_jobs"
    LOCATIONS = ("evaluation_dir",)
    FOLDERS = ("evaluation_dir",)
    INDEXED = (
        "state",
        "type",
        "cml_job_id",
        "base_model_id",
        "dataset_id",
        "adapter_id",
        "prompt_id",
        "parent_job_id",
    )
    OUTCOMES = ("metrics", "rows", "samples")

    type: Mapped[str | None]
    parent_job_id: Mapped[str | None] = mapped_column(index=True)
    base_model_id: Mapped[str | None]
    dataset_id: Mapped[str | None]
    prompt_id: Mapped[str | None]
    num_workers: Mapped[int | None] = mapped_column(default=1)
    adapter_id: Mapped[str | None] = mapped_column(default=None)
    num_cpu: Mapped[int | None]
    num_gpu: Mapped[int | None]
    num_memory: Mapped[int | None]
    evaluation_dir: Mapped[str | None]
    model_bnb_config_id: Mapped[str | None] = mapped_column(default=None)
    adapter_bnb_config_id: Mapped[str | None] = mapped_column(default=None)
    generation_config_id: Mapped[str | None] = mapped_column(default=None)
    model_bnb_config: Mapped[str | None] = mapped_column(default=None)
    adapter_bnb_config: Mapped[str | None] = mapped_column(default=None)
    generation_config: Mapped[str | None] = mapped_column(default=None)
    metrics: Mapped[str | None] = mapped_column(default=None, sort_order=600)
    """Scores by name of metric, a JSON object."""
    rows: Mapped[int | None] = mapped_column(default=None, sort_order=601)
    samples: Mapped[str | None] = mapped_column(default=None, sort_order=602)
    """The first rows with what the model made of them, a JSON list."""

    def folder(self) -> str:
        return self.evaluation_dir or ""


class EvaluationEvent(JobEventRecord, kw_only=True):
    """Something that happened to an evaluation job."""

    __tablename__ = "evaluation_job_events"


class EvaluationLease(LeaseRecord, kw_only=True):
    """The lease of the process that reconciles evaluation jobs."""

    __tablename__ = "evaluation_lease"


class EvaluationStore(JobRecords[EvaluationJob]):
    """Queries on evaluation jobs."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, EvaluationJob, EvaluationEvent)
