"""The schema, as migrated and as the code says."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from chassis.migrate import migrate, version_table
from services.workbench.database import MIGRATIONS
from services.workbench.tables import Row


def test_migrations_lead_to_the_tables_the_code_knows(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'workbench.db'}")
    migrate(engine, MIGRATIONS, "workbench")
    with engine.connect() as connection:
        opts = {"compare_type": False, "version_table": version_table("workbench")}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Row.metadata) == []
