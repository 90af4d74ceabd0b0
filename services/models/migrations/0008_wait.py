"""Adds the reason why a job has not started."""

import sqlalchemy as sa
from alembic import op

from jobs.store import history

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for name, kind in history.WAIT_COLUMNS:
        op.add_column("export_jobs", sa.Column(name, kind))
