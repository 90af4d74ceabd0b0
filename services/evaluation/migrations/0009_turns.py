"""Adds indexes of the rows that are looked at in the background, and of each job's history."""

from alembic import op

from jobs.store import history

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    history.add_indexes(op, "evaluation_jobs", "evaluation_job_events")
