"""The token by which a job reports, and how far its reports are known."""

import sqlalchemy as sa
from alembic import op

from jobs.store import history

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for name, kind in history.LINK_COLUMNS:
        op.add_column("fine_tuning_jobs", sa.Column(name, kind))
