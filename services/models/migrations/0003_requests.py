"""Requests that can be repeated."""

from chassis.store import idempotency

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    idempotency.create_table("models")
