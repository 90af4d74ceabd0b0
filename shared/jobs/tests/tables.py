"""Tables of a kind of job that only tests have."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.orm import Mapped, mapped_column

from chassis.store.engine import Store
from ft.proto.fine_tuning_studio_pb2 import FineTuningJobMetadata
from ft.proto.fine_tuning_studio_types_pb2 import JobStatus
from jobs.execution.lease import LeaseRecord
from jobs.store.history import JobEventRecord
from jobs.store.job_record import JobRecord
from jobs.store.records import JobRecords
from jobs.store.status import job_form


class SomeJob(JobRecord, kw_only=True):
    """A job of a kind of its own."""

    __tablename__ = "some_jobs"

    best: Mapped[str | None] = mapped_column(default=None)

    def folder(self) -> str:
        return f"outputs/{self.id}"


_FORM = job_form(FineTuningJobMetadata, SomeJob.table())


def status_of(job: SomeJob) -> JobStatus:
    """The status of a job as clients see it."""
    return _FORM.of_record(job).status


class SomeEvent(JobEventRecord, kw_only=True):
    __tablename__ = "some_events"


class SomeLease(LeaseRecord, kw_only=True):
    __tablename__ = "some_lease"


MIGRATION = """
import sqlalchemy as sa
from alembic import op

from jobs.execution import lease
from jobs.store import history

revision = "0001"
down_revision = None


def upgrade():
    op.create_table(
        "some_jobs",
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("cml_job_id", sa.String),
        sa.Column("best", sa.String),
        sa.Column("state", sa.String, nullable=False, index=True),
        *(sa.Column(name, sa.String) for name in ("run_id", "failure_reason", "notices")),
        *(sa.Column(name, sa.DateTime) for name in ("started_at", "finished_at")),
        *(sa.Column(name, kind) for name, kind in history.DISPATCH_COLUMNS),
        *(sa.Column(name, kind) for name, kind in history.LINK_COLUMNS),
        *(sa.Column(name, kind) for name, kind in history.FAILURE_COLUMNS),
        *(sa.Column(name, kind) for name, kind in history.PAUSE_COLUMNS),
        *(sa.Column(name, kind) for name, kind in history.WAIT_COLUMNS),
        *(sa.Column(name, sa.Integer) for name in ("step", "total_steps")),
        *(
            sa.Column(name, sa.Float(53))
            for name in ("epoch", "loss", "eval_loss", "tokens_per_second", "seconds_left")
        ),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
    )
    op.create_table("some_events", *history.columns())
    op.create_table("some_lease", *lease.columns())
    history.add_indexes(op, "some_jobs", "some_events")
"""


@asynccontextmanager
async def records_in(url: str, folder: Path) -> AsyncIterator[JobRecords[SomeJob]]:
    """An open table of jobs in the database at `url`; the migrations are written to `folder`."""
    migrations = folder / "migrations"
    migrations.mkdir(exist_ok=True)
    (migrations / "0001_some_jobs.py").write_text(MIGRATION)
    store = Store("some", url, migrations)
    await store.open()
    try:
        yield JobRecords(store, SomeJob, SomeEvent)
    finally:
        await store.close()
