"""Adds the time of each stored request id, so that old ones can be deleted."""

from chassis.store import idempotency

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    idempotency.add_times("adapters")
