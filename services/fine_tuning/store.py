"""The table of fine-tuning jobs."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from chassis.rpc.errors import AlreadyExists
from chassis.store.engine import Store
from ft.enums import JobState
from jobs.execution.lease import LeaseRecord
from jobs.store.history import JobEventRecord
from jobs.store.job_record import JobRecord
from jobs.store.records import JobRecords
from services.fine_tuning import rules

WITHOUT_ADAPTER = (JobState.FAILED, JobState.STOPPED, JobState.TIMED_OUT, JobState.LOST)
"""States in which a job ends without an adapter, unless it had registered one before."""
_HARDWARE = ("base_model_id", "num_cpu", "num_gpu", "gpu_label_id", "num_workers")


class FineTuningJob(JobRecord, kw_only=True):
    """A fine-tuning job with copies of the settings that it was started with."""

    __tablename__ = "fine_tuning_jobs"
    LOCATIONS = ("out_dir", "user_script")
    FOLDERS = ("out_dir",)
    INDEXED = (
        "state",
        "adapter_name",
        "base_model_id",
        "dataset_id",
        "prompt_id",
        "cml_job_id",
        "adapter_id",
        "user_config_id",
        "axolotl_config_id",
    )
    OUTCOMES = ("adapter_id", "manifest")

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
    """The lease of the process that reconciles fine-tuning jobs."""

    __tablename__ = "fine_tuning_lease"


class FineTuningStore(JobRecords[FineTuningJob]):
    """Queries on fine-tuning jobs."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, FineTuningJob, FineTuningEvent)

    def alike(self, job: FineTuningJob, limit: int) -> list[FineTuningJob]:
        """Returns jobs that trained the same model on the same hardware and reported their speed.

        The newest come first.
        """
        same = {name: getattr(job, name) for name in _HARDWARE}
        query = select(self.table).filter_by(state=JobState.SUCCEEDED, **same)
        query = query.where(self.table.c.tokens_per_second > 0)
        return self.matching(query.order_by(self.table.c.seq.desc()).limit(limit))

    def require_startable(self, connection: Connection, job: FineTuningJob) -> None:
        """Raises AlreadyExists if the name of the job's adapter is another job's."""
        name = str(job.adapter_name)
        _require_none(name, connection.scalar(self._holder(name, job.id)))

    def require_name(self, adapter_name: str, job_id: str = "") -> None:
        """Raises AlreadyExists if a name is another job's now.

        For a cheap answer before costly work: others may take the name in between.
        """
        query = self._holder(adapter_name, job_id)
        _require_none(adapter_name, self.store.read(lambda c: c.scalar(query)))

    def named(self, adapter_name: str) -> list[FineTuningJob]:
        """Jobs whose name that is, oldest first: one, unless an import brought others."""
        query = select(self.table).where(self.table.c.adapter_name == adapter_name, self._keep_name)
        return self.matching(query.order_by(self.table.c.seq))

    @property
    def _keep_name(self) -> ColumnElement[bool]:
        """Condition that a job has the adapter of its name, or may still make it."""
        ended = [state.value for state in WITHOUT_ADAPTER]
        return or_(self.table.c.state.not_in(ended), self.table.c.adapter_id.is_not(None))

    def _holder(self, adapter_name: str, but: str) -> Select[Any]:
        """Id of a job, `but` one, whose name that is."""
        table = self.table.c
        holds = (table.adapter_name == adapter_name) & (table.id != but) & self._keep_name
        return select(table.id).where(holds).order_by(table.seq).limit(1)


def _require_none(adapter_name: str, holder: str | None) -> None:
    if holder is not None:
        raise name_taken(adapter_name, f"job {holder}", holder)


def name_taken(name: str, by: str, holder_id: str) -> AlreadyExists:
    """The refusal of a name that an adapter or a job has."""
    return AlreadyExists(
        f"adapter_name: {name!r} is taken by {by}",
        reason="ADAPTER_NAME_TAKEN",
        field="adapter_name",
        holder_id=holder_id,
        rule=rules.ADAPTER_NAME_FREE.id,
    )
