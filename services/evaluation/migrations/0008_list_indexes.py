"""Indexes for pages of lists of any size."""

from chassis.store.indexes import create_indexes

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    create_indexes(
        "evaluation_jobs",
        (
            "id",
            "created_at",
            "updated_at",
            "state",
            "type",
            "cml_job_id",
            "base_model_id",
            "dataset_id",
            "adapter_id",
            "prompt_id",
            "parent_job_id",
        ),
    )
