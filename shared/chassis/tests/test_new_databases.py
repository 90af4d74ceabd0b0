"""What a new SQLite file gets without its revisions being run."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import OperationalError

from chassis.store.engine import Store
from chassis.store.migrate import END, NEW_DATABASE, migrate

AT_FIRST_REVISION = END.join(
    [
        "CREATE TABLE some_revision (version_num VARCHAR(32) NOT NULL)",
        "INSERT INTO some_revision VALUES('0001')",
        "CREATE TABLE things (id VARCHAR, made_by VARCHAR DEFAULT 'script; :a ? %s')",
        "",
    ]
)
SECOND_REVISION = """
import sqlalchemy as sa
from alembic import op
revision = '0002'
down_revision = '0001'
def upgrade():
    op.add_column('things', sa.Column('colour', sa.String))
"""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return create_engine(f"sqlite:///{tmp_path / 'new.db'}")


def columns(engine: Engine) -> set[str]:
    return {str(column["name"]) for column in inspect(engine).get_columns("things")}


def test_new_file_is_made_by_the_script(engine: Engine, migrations: Path) -> None:
    (migrations / NEW_DATABASE).write_text(AT_FIRST_REVISION)
    migrate(engine, migrations, "some")
    assert columns(engine) == {"id", "made_by"}
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO things (id) VALUES ('a')"))
        assert connection.scalar(text("SELECT made_by FROM things")) == "script; :a ? %s"


def test_revisions_after_the_script_are_applied(engine: Engine, migrations: Path) -> None:
    (migrations / NEW_DATABASE).write_text(AT_FIRST_REVISION)
    (migrations / "0002_colour.py").write_text(SECOND_REVISION)
    migrate(engine, migrations, "some")
    assert columns(engine) == {"id", "made_by", "colour"}
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM some_revision")) == "0002"


def test_file_with_tables_is_made_by_the_revisions(engine: Engine, migrations: Path) -> None:
    (migrations / NEW_DATABASE).write_text(AT_FIRST_REVISION)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE of_another_service (id VARCHAR)"))
    migrate(engine, migrations, "some")
    assert "weight" in columns(engine)
    assert "made_by" not in columns(engine)


def test_script_that_fails_leaves_nothing(tmp_path: Path, migrations: Path) -> None:
    (migrations / NEW_DATABASE).write_text(
        AT_FIRST_REVISION + "CREATE TABLE things (id VARCHAR);\n"
    )
    # As services open it: the driver itself would not begin before the first row.
    store = Store("some", f"sqlite:///{tmp_path / 'new.db'}", migrations)
    engine = store._engine()
    with pytest.raises(OperationalError, match="things already exists"):
        migrate(engine, migrations, "some")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sqlite_master")) == 0
