"""Tables of the workbench."""

import secrets
import string
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column
from sqlalchemy.types import TypeDecorator

_ID_ALPHABET = string.ascii_lowercase + string.digits


def new_id() -> str:
    """A new id in the format of a workspace: four groups of four characters."""
    return "-".join("".join(secrets.choice(_ID_ALPHABET) for _ in range(4)) for _ in range(4))


def utc_now() -> datetime:
    """The time, with its offset."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A time with an offset; SQLite by itself stores none."""

    impl = DateTime
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """Type of its values."""
        return datetime

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """To UTC without an offset."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """To UTC with an offset."""
        return None if value is None else value.replace(tzinfo=UTC)


class Row(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """A record. Columns have the names of the API."""

    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy when the class is made
        datetime: UtcDateTime,
        dict[str, str]: JSON,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
    }

    __table_args__: Any = ({"sqlite_autoincrement": True},)

    seq: Mapped[int] = mapped_column(primary_key=True, init=False, sort_order=-3)
    """Order of creation: lists begin with the oldest."""
    id: Mapped[str] = mapped_column(unique=True, default_factory=new_id, sort_order=-2)
    created_at: Mapped[datetime] = mapped_column(default_factory=utc_now, sort_order=100)


class ProjectRow(Row):
    """The folder and the environment of all runs."""

    __tablename__ = "projects"

    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    visibility: Mapped[str] = mapped_column(default="private")
    default_engine_type: Mapped[str] = mapped_column(default="ml_runtime")
    creation_status: Mapped[str] = mapped_column(default="success")
    shared_memory_limit: Mapped[int] = mapped_column(default=0)
    ephemeral_storage_request: Mapped[int] = mapped_column(default=0)
    ephemeral_storage_limit: Mapped[int] = mapped_column(default=0)
    environment: Mapped[dict[str, str]] = mapped_column(default_factory=dict)
    updated_at: Mapped[datetime] = mapped_column(default_factory=utc_now, sort_order=101)


LISTED_BY = ("name", "script", "type", "kernel", "paused", "created_at", "updated_at")
"""Columns of jobs that a workspace filters and sorts by."""


class JobRow(Row):
    """A job: its script, resources and time limit."""

    __tablename__ = "jobs"
    __table_args__ = (
        *(Index(f"jobs_project_id_{key}", "project_id", key) for key in LISTED_BY),
        Index("jobs_deleting", "seq", sqlite_where=text("deleting = 1")),
        {"sqlite_autoincrement": True},
    )

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    name: Mapped[str] = mapped_column(index=True)
    script: Mapped[str]
    type: Mapped[str] = mapped_column(default="manual")
    kernel: Mapped[str] = mapped_column(default="")
    arguments: Mapped[str] = mapped_column(default="")
    environment: Mapped[dict[str, str]] = mapped_column(default_factory=dict)
    cpu: Mapped[float] = mapped_column(default=1.0)
    memory: Mapped[float] = mapped_column(default=1.0)
    nvidia_gpu: Mapped[int] = mapped_column(default=0)
    accelerator_label_id: Mapped[str] = mapped_column(default="")
    timeout: Mapped[int] = mapped_column(default=0)
    """Seconds a run may take; 0 for no limit."""
    kill_on_timeout: Mapped[bool] = mapped_column(default=True)
    timezone: Mapped[str] = mapped_column(default="")
    paused: Mapped[bool] = mapped_column(default=False)
    run_as: Mapped[int] = mapped_column(default=0)
    runtime_identifier: Mapped[str] = mapped_column(default="")
    runtime_addon_identifiers: Mapped[list[str]] = mapped_column(default_factory=list)
    deleting: Mapped[bool] = mapped_column(default=False)
    """Deletion was requested. The job is no longer listed, and its row is deleted when its runs
    have ended."""
    updated_at: Mapped[datetime] = mapped_column(default_factory=utc_now, sort_order=101)


class JobRunRow(Row):
    """One attempt at a job: a copy of the job, and the state of the run."""

    __tablename__ = "job_runs"
    __table_args__ = (
        Index("job_runs_status_seq", "status", "seq"),
        Index("job_runs_job_id_status", "job_id", "status"),
        Index("job_runs_job_id_created_at", "job_id", "created_at"),
        {"sqlite_autoincrement": True},
    )

    project_id: Mapped[str]
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    status: Mapped[str]
    # What the job said when the run was created: a later change of the job leaves the run alone.
    script: Mapped[str]
    arguments: Mapped[str]
    environment: Mapped[dict[str, str]]
    cpu: Mapped[float]
    memory: Mapped[float]
    nvidia_gpu: Mapped[int]
    accelerator_label_id: Mapped[str]
    timeout: Mapped[int]
    kill_on_timeout: Mapped[bool]
    kernel: Mapped[str]
    runtime_identifier: Mapped[str]
    attempt: Mapped[int] = mapped_column(default=1)
    """Number of the launch; increases only if the launch before is certain not to have begun."""
    gpus: Mapped[list[str]] = mapped_column(default_factory=list)
    exit_code: Mapped[int | None] = mapped_column(default=None)
    scheduling_at: Mapped[datetime] = mapped_column(default_factory=utc_now, sort_order=102)
    starting_at: Mapped[datetime | None] = mapped_column(default=None, sort_order=103)
    running_at: Mapped[datetime | None] = mapped_column(default=None, sort_order=104)
    finished_at: Mapped[datetime | None] = mapped_column(default=None, sort_order=105)

    def after(self, time: datetime) -> datetime:
        """The present time, but not before any earlier time of the run, because clocks may be set
        back."""
        known = (self.scheduling_at, self.starting_at, self.running_at)
        return max([time, self.created_at, *(one for one in known if one is not None)])


class ModelRow(Row):
    """A model that may be built and deployed, with its default resources."""

    __tablename__ = "models"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    auth_enabled: Mapped[bool] = mapped_column(default=True)
    registered_model_id: Mapped[str] = mapped_column(default="")
    visibility: Mapped[str] = mapped_column(default="private")
    access_key: Mapped[str] = mapped_column(default_factory=lambda: secrets.token_hex(16))
    run_as: Mapped[int] = mapped_column(default=0)
    accelerator_label_id: Mapped[str] = mapped_column(default="")
    cpu: Mapped[float] = mapped_column(default=1.0)
    memory: Mapped[float] = mapped_column(default=2.0)
    nvidia_gpus: Mapped[int] = mapped_column(default=0)
    replicas: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime] = mapped_column(default_factory=utc_now, sort_order=101)


class ModelBuildRow(Row):
    """A build of a model: a function of a script."""

    __tablename__ = "model_builds"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), index=True)
    status: Mapped[str]
    comment: Mapped[str] = mapped_column(default="")
    file_path: Mapped[str] = mapped_column(default="")
    function_name: Mapped[str] = mapped_column(default="")
    kernel: Mapped[str] = mapped_column(default="")
    runtime_identifier: Mapped[str] = mapped_column(default="")
    runtime_addon_identifiers: Mapped[list[str]] = mapped_column(default_factory=list)
    registered_model_version_id: Mapped[str] = mapped_column(default="")
    fault: Mapped[str] = mapped_column(default="")
    """Why the build failed."""
    built_at: Mapped[datetime | None] = mapped_column(default=None)
    updated_at: Mapped[datetime] = mapped_column(default_factory=utc_now, sort_order=101)


class ModelDeploymentRow(Row):
    """A deployment of a build, with its own resources."""

    __tablename__ = "model_deployments"

    project_id: Mapped[str]
    model_id: Mapped[str]
    build_id: Mapped[str] = mapped_column(
        ForeignKey("model_builds.id", ondelete="CASCADE"), index=True
    )
    status: Mapped[str]
    cpu: Mapped[float] = mapped_column(default=1.0)
    memory: Mapped[float] = mapped_column(default=2.0)
    nvidia_gpu: Mapped[int] = mapped_column(default=0)
    environment: Mapped[dict[str, str]] = mapped_column(default_factory=dict)
    replicas: Mapped[int] = mapped_column(default=1)
    attempt: Mapped[int] = mapped_column(default=0)
    """Number of the last launch; 0 before the first."""
    deaths: Mapped[int] = mapped_column(default=0)
    """Number of times in a row that the process ended by itself soon after its start."""
    retry_at: Mapped[datetime | None] = mapped_column(default=None)
    """Time from which it may be launched again after such an end."""
    gpus: Mapped[list[str]] = mapped_column(default_factory=list)
    stopped_at: Mapped[datetime | None] = mapped_column(default=None)
    updated_at: Mapped[datetime] = mapped_column(default_factory=utc_now, sort_order=101)


class RegisteredModelRow(Row):
    """A name in the registry."""

    __tablename__ = "registered_models"

    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(default="")
    visibility: Mapped[str] = mapped_column(default="PRIVATE")
    last_number: Mapped[int] = mapped_column(default=0)
    """Number of the newest version that ever existed, because a number is not used twice."""
    updated_at: Mapped[datetime] = mapped_column(default_factory=utc_now, sort_order=101)


class RegisteredModelVersionRow(Row):
    """A logged model under a name of the registry."""

    __tablename__ = "registered_model_versions"

    model_id: Mapped[str] = mapped_column(
        ForeignKey("registered_models.id", ondelete="CASCADE"), index=True
    )
    number: Mapped[int]
    project_id: Mapped[str]
    experiment_id: Mapped[str] = mapped_column(default="")
    run_id: Mapped[str] = mapped_column(default="")
    model_path: Mapped[str] = mapped_column(default="")
    notes: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="READY")
    tags: Mapped[list[dict[str, Any]]] = mapped_column(default_factory=list)
    updated_at: Mapped[datetime] = mapped_column(default_factory=utc_now, sort_order=101)


class RuntimeRow(Row):
    """An interpreter for jobs, as of the last start."""

    __tablename__ = "runtimes"

    image_identifier: Mapped[str]
    editor: Mapped[str]
    kernel: Mapped[str]
    edition: Mapped[str]
    description: Mapped[str]
    full_version: Mapped[str]
    status: Mapped[str]


class AcceleratorRow(Row):
    """A kind of GPU, as of the last start."""

    __tablename__ = "accelerators"

    label_key: Mapped[str]
    label_value: Mapped[str]
    availability: Mapped[bool]
    max_gpu_count: Mapped[int]
    max_gpu_per_workload: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(default_factory=utc_now, sort_order=101)
