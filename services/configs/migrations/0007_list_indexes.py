"""Indexes for pages of lists of any size."""

from chassis.store.indexes import create_indexes

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    create_indexes(
        "configs",
        (
            "id",
            "created_at",
            "updated_at",
            "type",
        ),
    )
