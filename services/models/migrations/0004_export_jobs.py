"""Export jobs, what happened to them, and which process reconciles them."""

import sqlalchemy as sa
from alembic import op

from jobs.execution import lease
from jobs.store import history

revision = "0004"
down_revision = "0003"

_TEXTS = (
    "type",
    "base_model_id",
    "adapter_id",
    "model_name",
    "model_description",
    "artifact_location",
    "generation_config",
    "location",
)


def upgrade() -> None:
    op.create_table(
        "export_jobs",
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("cml_job_id", sa.String),
        *(sa.Column(name, sa.String, nullable=False) for name in _TEXTS),
        sa.Column("num_cpu", sa.Integer, nullable=False),
        sa.Column("num_gpu", sa.Integer, nullable=False),
        sa.Column("num_memory", sa.Integer, nullable=False),
        sa.Column("model_id", sa.String),
        sa.Column("cml_registered_model_id", sa.String),
        sa.Column("mlflow_experiment_id", sa.String),
        sa.Column("mlflow_run_id", sa.String),
        sa.Column("state", sa.String, nullable=False, index=True),
        sa.Column("run_id", sa.String),
        sa.Column("started_at", sa.DateTime),
        sa.Column("finished_at", sa.DateTime),
        sa.Column("step", sa.Integer),
        sa.Column("total_steps", sa.Integer),
        sa.Column("epoch", sa.Float(53)),
        sa.Column("loss", sa.Float(53)),
        sa.Column("eval_loss", sa.Float(53)),
        sa.Column("tokens_per_second", sa.Float(53)),
        sa.Column("seconds_left", sa.Float(53)),
        sa.Column("failure_reason", sa.String),
        sa.Column("notices", sa.String),
        *(sa.Column(name, kind) for name, kind in history.DISPATCH_COLUMNS),
        *(sa.Column(name, kind) for name, kind in history.LINK_COLUMNS),
        *(sa.Column(name, kind) for name, kind in history.FAILURE_COLUMNS),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_export_jobs_request_id", "export_jobs", ["request_id"])
    op.create_table("export_job_events", *history.columns())
    op.create_table("export_lease", *lease.columns())
