"""The table of configs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "configs",
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("type", sa.String, index=True),
        sa.Column("description", sa.String),
        sa.Column("config", sa.String),
        sa.Column("model_family", sa.String),
        sa.Column("is_default", sa.Integer),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
    )
