"""The schema, as migrated and as the code says."""

import shutil
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from chassis.store.migrate import migrate, version_table
from services.workbench.store.database import MIGRATIONS
from services.workbench.store.tables import Row


def test_migrations_lead_to_the_tables_the_code_knows(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'workbench.db'}")
    migrate(engine, MIGRATIONS, "workbench")
    with engine.connect() as connection:
        opts = {"compare_type": False, "version_table": version_table("workbench")}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Row.metadata) == []


def test_deployments_that_were_records_only_are_not_launched_by_an_update(tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    shutil.copy(MIGRATIONS / "0001_first.py", first)
    engine = create_engine(f"sqlite:///{tmp_path / 'workbench.db'}")
    migrate(engine, first, "workbench")
    with engine.begin() as connection:
        connection.execute(text("PRAGMA foreign_keys = OFF"))
        connection.execute(
            text(
                "INSERT INTO model_deployments (id, project_id, model_id, build_id, status, cpu, "
                "memory, nvidia_gpu, environment, replicas, created_at, updated_at) "
                "VALUES ('d', 'local', 'm', 'b', 'pending', 1, 1, 0, '{}', 1, '2026', '2026')"
            )
        )
    migrate(engine, MIGRATIONS, "workbench")
    with engine.connect() as connection:
        statement = text("SELECT status, attempt, gpus FROM model_deployments")
        assert connection.execute(statement).all() == [("stopped", 0, "[]")]
