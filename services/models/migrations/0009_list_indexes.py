"""Indexes for pages of lists of any size."""

from chassis.store.indexes import create_indexes

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    create_indexes(
        "models",
        (
            "id",
            "created_at",
            "updated_at",
            "type",
            "name",
            "cml_registered_model_id",
            "mlflow_experiment_id",
            "mlflow_run_id",
        ),
    )
    create_indexes(
        "export_jobs",
        (
            "id",
            "created_at",
            "updated_at",
            "state",
            "type",
            "model_name",
            "base_model_id",
            "adapter_id",
            "cml_job_id",
            "model_id",
            "cml_registered_model_id",
            "mlflow_experiment_id",
            "mlflow_run_id",
        ),
    )
