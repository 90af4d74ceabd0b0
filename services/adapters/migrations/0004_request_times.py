"""When each request that can be repeated was noted, so that old ones can be forgotten."""

from chassis import repeats

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    repeats.add_times("adapters")
