"""Requests that can be repeated."""

from chassis import repeats

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    repeats.create_table("configs")
