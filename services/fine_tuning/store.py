"""The table of fine-tuning jobs."""

from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from chassis.store import Store
from ft.enums import JobState
from jobs.history import JobEventRecord
from jobs.lease import LeaseRecord
from jobs.records import JobRecord, JobRecords

_HARDWARE = ("base_model_id", "num_cpu", "num_gpu", "gpu_label_id", "num_workers")


class FineTuningJob(JobRecord, kw_only=True):
    """A fine-tuning job with copies of the settings that it was started with."""

    __tablename__ = "fine_tuning_jobs"
    LOCATIONS = ("out_dir", "user_script")

    base_model_id: Mapped[str | None]
    dataset_id: Mapped[str | None]
    prompt_id: Mapped[str | None]
    num_workers: Mapped[int | None]
    adapter_id: Mapped[str | None] = mapped_column(default=None)
    num_cpu: Mapped[int | None]
    num_gpu: Mapped[int | None]
    num_memory: Mapped[int | None]
    num_epochs: Mapped[int | None]
    learning_rate: Mapped[float | None]
    out_dir: Mapped[str | None]
    training_arguments_config_id: Mapped[str | None] = mapped_column(default=None)
    model_bnb_config_id: Mapped[str | None] = mapped_column(default=None)
    adapter_bnb_config_id: Mapped[str | None] = mapped_column(default=None)
    lora_config_id: Mapped[str | None] = mapped_column(default=None)
    training_arguments_config: Mapped[str | None] = mapped_column(default=None)
    model_bnb_config: Mapped[str | None] = mapped_column(default=None)
    adapter_bnb_config: Mapped[str | None] = mapped_column(default=None)
    lora_config: Mapped[str | None] = mapped_column(default=None)
    dataset_fraction: Mapped[float | None]
    train_test_split: Mapped[float | None]
    user_script: Mapped[str | None] = mapped_column(default=None)
    user_config_id: Mapped[str | None] = mapped_column(default=None)
    framework_type: Mapped[str | None]
    axolotl_config_id: Mapped[str | None] = mapped_column(default=None)
    gpu_label_id: Mapped[int | None] = mapped_column(default=None)
    adapter_name: Mapped[str | None] = mapped_column(index=True)

    user_config: Mapped[str | None] = mapped_column(default=None, sort_order=520)
    manifest: Mapped[str | None] = mapped_column(default=None, sort_order=530)
    """What the adapter came from, a JSON object as the job has reported it."""

    def folder(self) -> str:
        return f"outputs/{self.id}"

    def config_ids(self) -> list[str]:
        """Ids of the stored configs that the job was started with."""
        ids = (
            self.training_arguments_config_id,
            self.model_bnb_config_id,
            self.adapter_bnb_config_id,
            self.lora_config_id,
            self.user_config_id,
            self.axolotl_config_id,
        )
        return [id for id in ids if id]


class FineTuningEvent(JobEventRecord, kw_only=True):
    """Something that happened to a fine-tuning job."""

    __tablename__ = "fine_tuning_job_events"


class FineTuningLease(LeaseRecord, kw_only=True):
    """Which process reconciles fine-tuning jobs."""

    __tablename__ = "fine_tuning_lease"


class FineTuningStore(JobRecords[FineTuningJob]):
    """Queries on fine-tuning jobs."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, FineTuningJob, FineTuningEvent)

    def alike(self, job: FineTuningJob, limit: int) -> list[FineTuningJob]:
        """The newest jobs that trained the same model on the same hardware and told their speed,
        newest first."""
        same = {name: getattr(job, name) for name in _HARDWARE}
        query = select(self.table).filter_by(state=JobState.SUCCEEDED, **same)
        query = query.where(self.table.c.tokens_per_second > 0)
        return self.matching(query.order_by(self.table.c.seq.desc()).limit(limit))
