"""The table of models."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "models",
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("type", sa.String),
        sa.Column("framework", sa.String),
        sa.Column("name", sa.String, index=True),
        sa.Column("description", sa.String),
        sa.Column("huggingface_model_name", sa.String),
        sa.Column("location", sa.String),
        sa.Column("cml_registered_model_id", sa.String),
        sa.Column("mlflow_experiment_id", sa.String),
        sa.Column("mlflow_run_id", sa.String),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
    )
