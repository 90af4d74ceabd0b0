"""When each request that can be repeated was noted, so that old ones can be forgotten."""

from chassis.store import idempotency

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    idempotency.add_times("datasets")
