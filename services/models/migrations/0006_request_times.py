"""Adds the time of each stored request id, so that old ones can be deleted."""

from chassis.store import idempotency

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    idempotency.add_times("models")
