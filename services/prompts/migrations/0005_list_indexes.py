"""Indexes for pages of lists of any size."""

from chassis.store.indexes import create_indexes

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    create_indexes("prompts", ("id", "created_at", "updated_at", "type", "name", "dataset_id"))
