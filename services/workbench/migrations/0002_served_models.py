"""Columns for the process of a deployment."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Applies the revision."""
    op.add_column(
        "model_builds", sa.Column("fault", sa.String(), nullable=False, server_default="")
    )
    for column in (
        sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("deaths", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("retry_at", sa.DateTime(), nullable=True),
        sa.Column("gpus", sa.JSON(), nullable=False, server_default="[]"),
    ):
        op.add_column("model_deployments", column)
    # Until now deployments were records only, which nobody expects to be launched all at once.
    op.execute("UPDATE model_deployments SET status = 'stopped' WHERE status = 'pending'")
