"""What the scripts for new SQLite files make, compared with what the revisions make."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from chassis.store.migrate import NEW_DATABASE, migrate, upgrade

MIGRATIONS = sorted((Path(__file__).parents[2] / "services").glob("*/migrations"))


@pytest.mark.parametrize("migrations", MIGRATIONS, ids=lambda path: path.parent.name)
def test_script_and_revisions_make_the_same_database(migrations: Path, tmp_path: Path) -> None:
    assert (migrations / NEW_DATABASE).exists()
    by_script = made_by(migrate, tmp_path / "script.db", migrations)
    assert by_script == made_by(upgrade, tmp_path / "revisions.db", migrations)
    assert len(by_script) > 5


def made_by(make: Callable[[Engine, Path, str], None], file: Path, migrations: Path) -> list[str]:
    """All statements and rows of the database that is made."""
    engine = create_engine(f"sqlite:///{file}")
    make(engine, migrations, migrations.parent.name)
    engine.dispose()
    connection = sqlite3.connect(file)
    dump = sorted(connection.iterdump())
    connection.close()
    return dump
