"""Rows of imports that are not decided yet."""

from chassis.transfer import staging

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    staging.create_tables("datasets")
