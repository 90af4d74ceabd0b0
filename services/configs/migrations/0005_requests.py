"""Requests that can be repeated."""

from chassis.store import idempotency

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    idempotency.create_table("configs")
