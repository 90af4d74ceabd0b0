"""The commit on the hub at which one was registered."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("adapters", sa.Column("commit", sa.String))
