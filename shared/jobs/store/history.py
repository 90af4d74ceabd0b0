"""Append-only table of the events of jobs: changes of state, progress and notices."""

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Mapped, mapped_column

from chassis.rpc import rules
from chassis.rpc.errors import Violations
from chassis.store.convert import rfc3339
from chassis.store.records import Record
from ft.proto.fine_tuning_studio_jobs_pb2 import JobEvent

STATE, WAIT, PROGRESS, NOTICE, REMOVED = "STATE", "WAIT", "PROGRESS", "NOTICE", "REMOVED"
SHOWN = (STATE, WAIT, PROGRESS, NOTICE)
"""Kinds of events that clients see."""
MAX_EXPORTED_REPORTS = 1000
"""Most PROGRESS events of a job in an export; of more, every other one is left out."""
STUDIO, USER, WORKSPACE, JOB = "studio", "user", "workspace", "job"
"""Actors that cause events."""


class JobEventRecord(Record, kw_only=True):
    """One event of a job. `seq` is the cursor of watches."""

    __abstract__ = True
    OWNER_ID = "job_id"

    job_id: Mapped[str]
    kind: Mapped[str]
    """STATE, WAIT, PROGRESS, NOTICE, or REMOVED for a job that is forgotten but may still be in the
    workspace."""
    state: Mapped[str | None] = mapped_column(default=None)
    cause: Mapped[str | None] = mapped_column(default=None)
    actor: Mapped[str | None] = mapped_column(default=None)
    progress: Mapped[str | None] = mapped_column(default=None)
    """What the job reported, a JSON object."""

    @classmethod
    def exported(cls) -> Select[Any]:
        # A job that reports every second would fill an export with its curve alone.
        table = cls.table()
        same = (table.c.job_id, table.c.kind)
        count = func.count().over(partition_by=same)
        number = func.row_number().over(partition_by=same, order_by=table.c.seq)
        numbered = select(table, count.label("total"), number.label("number")).subquery()
        events = numbered.c
        every = 1 + (events.total - 1) // MAX_EXPORTED_REPORTS
        chosen = (events.total - events.number) % every == 0  # The newest is one of them.
        wanted = (events.kind != REMOVED) & ((events.kind != PROGRESS) | chosen)
        columns = [events[column.key] for column in table.columns]
        return select(*columns).where(wanted).order_by(events.seq)

    @classmethod
    def complete(cls, place: str, values: dict[str, Any], found: Violations) -> None:
        kind = values.get("kind")
        if not found.check(f"{place}.kind", rules.EVENT_ROW, kind in SHOWN, f"is {kind!r}"):
            return
        try:
            cls(**{"job_id": "", **values}).message()
        except (AttributeError, TypeError, ValueError, RecursionError) as error:
            description = f"is not a report of a job: {error}"
            found.add(f"{place}.progress", rules.EVENT_ROW, description)

    def message(self) -> JobEvent:
        """The event as clients see it."""
        reported: dict[str, Any] = json.loads(self.progress or "{}")
        fields = JobEvent.DESCRIPTOR.fields_by_name
        return JobEvent(
            cursor=self.seq,
            job_id=self.job_id,
            time=rfc3339(self.created_at),
            kind=self.kind,
            state=self.state or "",
            cause=self.cause or "",
            actor=self.actor or "",
            **{name: value for name, value in reported.items() if name in fields},
        )


def columns() -> tuple[sa.Column[Any], ...]:
    """Columns of a history's table, for migrations."""
    return (
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("job_id", sa.String, nullable=False, index=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("state", sa.String),
        sa.Column("cause", sa.String),
        sa.Column("actor", sa.String),
        sa.Column("progress", sa.String),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
    )


DISPATCH_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("attempt", sa.Integer),
    ("spec", sa.String),
    ("sent_at", sa.DateTime),
    ("request_id", sa.String),
    ("request_digest", sa.String),
)
"""Columns of a job's table that came with the history."""

PAUSE_COLUMNS: tuple[tuple[str, Any], ...] = (("not_before", sa.DateTime),)
"""Columns of a job's table that came with the pause between attempts."""

LINK_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("token_hash", sa.String),
    ("reported_offset", sa.BigInteger),
)
"""Columns of a job's table that came with the link from the job."""

FAILURE_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("failure_kind", sa.String),
    ("retry", sa.String),
)
"""Columns of a job's table that came with the retry policy."""

WAIT_COLUMNS: tuple[tuple[str, Any], ...] = (("waits_for", sa.String),)
"""Columns of a job's table that came with what a job waits for."""


def add_indexes(op: Any, jobs: str, events: str) -> None:
    """Adds indexes of jobs that may still arrive in the workspace, of the marks of removed ones,
    and of the events of each job, to these tables."""
    unsettled, removed = sa.text("sent_at IS NOT NULL"), sa.text(f"kind = '{REMOVED}'")
    for name, table, columns, where in (
        (f"ix_{jobs}_unsettled", jobs, ["seq"], unsettled),
        (f"ix_{events}_removed", events, ["seq"], removed),
        (f"ix_{events}_job_id_seq", events, ["job_id", "seq"], None),
    ):
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    op.drop_index(f"ix_{events}_job_id", events)
