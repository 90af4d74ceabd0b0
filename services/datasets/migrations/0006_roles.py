"""Adds the mapping of the roles of conversations."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("datasets", sa.Column("roles", sa.String()))
