"""Adds the time before which an attempt of the retry policy does not begin."""

import sqlalchemy as sa
from alembic import op

from jobs.store import history

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for name, kind in history.PAUSE_COLUMNS:
        op.add_column("export_jobs", sa.Column(name, kind))
