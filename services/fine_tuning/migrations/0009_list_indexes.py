"""Indexes for pages of lists of any size."""

from chassis.store.indexes import create_indexes

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    create_indexes(
        "fine_tuning_jobs",
        (
            "id",
            "created_at",
            "updated_at",
            "state",
            "adapter_name",
            "base_model_id",
            "dataset_id",
            "prompt_id",
            "cml_job_id",
            "adapter_id",
            "user_config_id",
            "axolotl_config_id",
        ),
    )
