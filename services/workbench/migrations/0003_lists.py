"""Indexes for lists of jobs and runs, by what they are filtered and sorted by."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Applies the revision."""
    for key in ("name", "script", "type", "kernel", "paused", "created_at", "updated_at"):
        op.create_index(f"jobs_project_id_{key}", "jobs", ["project_id", key])
    op.create_index("jobs_deleting", "jobs", ["seq"], sqlite_where=sa.text("deleting = 1"))
    for key in ("status", "created_at"):
        op.create_index(f"job_runs_job_id_{key}", "job_runs", ["job_id", key])
