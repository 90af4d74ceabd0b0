"""Rows of imports that are not decided yet."""

from chassis.transfer import staging

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    staging.create_tables("configs")
