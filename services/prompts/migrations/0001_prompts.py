"""The table of prompts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "prompts",
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("type", sa.String),
        sa.Column("name", sa.String, index=True),
        sa.Column("description", sa.String),
        sa.Column("dataset_id", sa.String, index=True),
        sa.Column("prompt_template", sa.String),
        sa.Column("input_template", sa.String),
        sa.Column("completion_template", sa.String),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
    )
