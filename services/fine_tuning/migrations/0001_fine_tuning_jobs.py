"""The table of fine-tuning jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "fine_tuning_jobs",
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("base_model_id", sa.String),
        sa.Column("dataset_id", sa.String),
        sa.Column("prompt_id", sa.String),
        sa.Column("num_workers", sa.Integer),
        sa.Column("cml_job_id", sa.String),
        sa.Column("adapter_id", sa.String),
        sa.Column("num_cpu", sa.Integer),
        sa.Column("num_gpu", sa.Integer),
        sa.Column("num_memory", sa.Integer),
        sa.Column("num_epochs", sa.Integer),
        sa.Column("learning_rate", sa.Float(53)),
        sa.Column("out_dir", sa.String),
        sa.Column("training_arguments_config_id", sa.String),
        sa.Column("model_bnb_config_id", sa.String),
        sa.Column("adapter_bnb_config_id", sa.String),
        sa.Column("lora_config_id", sa.String),
        sa.Column("training_arguments_config", sa.String),
        sa.Column("model_bnb_config", sa.String),
        sa.Column("adapter_bnb_config", sa.String),
        sa.Column("lora_config", sa.String),
        sa.Column("dataset_fraction", sa.Float(53)),
        sa.Column("train_test_split", sa.Float(53)),
        sa.Column("user_script", sa.String),
        sa.Column("user_config_id", sa.String),
        sa.Column("framework_type", sa.String),
        sa.Column("axolotl_config_id", sa.String),
        sa.Column("gpu_label_id", sa.Integer),
        sa.Column("adapter_name", sa.String, index=True),
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
        sa.Column("user_config", sa.String),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
    )
