"""Requests that can be repeated."""

from chassis import repeats

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    repeats.create_table("models")
