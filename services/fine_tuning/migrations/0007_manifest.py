"""Adds the manifest of a job's adapter."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("fine_tuning_jobs", sa.Column("manifest", sa.String))
