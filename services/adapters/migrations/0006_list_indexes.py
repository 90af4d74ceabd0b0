"""Indexes for pages of lists of any size."""

from chassis.store.indexes import create_indexes

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    create_indexes(
        "adapters",
        (
            "id",
            "created_at",
            "updated_at",
            "type",
            "name",
            "model_id",
            "fine_tuning_job_id",
            "prompt_id",
            "cml_registered_model_id",
            "mlflow_experiment_id",
            "mlflow_run_id",
        ),
    )
