"""Adds the history of jobs, their dispatch, and the lease of the reconciling process."""

import sqlalchemy as sa
from alembic import op

from jobs.execution import lease
from jobs.store import history

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for name, kind in history.DISPATCH_COLUMNS:
        op.add_column("evaluation_jobs", sa.Column(name, kind))
    op.create_index("ix_evaluation_jobs_request_id", "evaluation_jobs", ["request_id"])
    op.create_table("evaluation_job_events", *history.columns())
    op.create_table("evaluation_lease", *lease.columns())
