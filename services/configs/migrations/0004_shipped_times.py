"""Shipped configs have the same times in every studio, so that an export of theirs is the same."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

SHIPPED_AT = datetime(2026, 11, 1)
"""Of those that revision 0002 has stored."""


def upgrade() -> None:
    configs = sa.table(
        "configs",
        sa.column("is_default", sa.Integer),
        sa.column("created_at", sa.DateTime),
        sa.column("updated_at", sa.DateTime),
    )
    times = sa.update(configs).where(configs.c.is_default == 1)
    op.execute(times.values(created_at=SHIPPED_AT, updated_at=SHIPPED_AT))
