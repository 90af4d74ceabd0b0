"""Adds the kind of failure that ended a job, and its retry policy."""

import sqlalchemy as sa
from alembic import op

from jobs.store import history

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for name, kind in history.FAILURE_COLUMNS:
        op.add_column("evaluation_jobs", sa.Column(name, kind))
