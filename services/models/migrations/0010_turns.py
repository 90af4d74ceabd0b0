"""Adds indexes of the rows that are looked at in the background, and of each job's history."""

from alembic import op

from jobs.store import history

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    history.add_indexes(op, "export_jobs", "export_job_events")
