"""Brings a service's schema up to date at start.

Revisions are files `NNNN_what.py` with `revision = "NNNN"`, forward only. Alembic is imported only
when there is something to do, because its import and the revisions cost a third of a service's
start. A new SQLite file gets what all revisions would make of it from the generated `new.sql`. A
database that is newer than this code is left as it is: revisions keep older code working.
"""

from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

_LOCK_KEY = 7_221_946_001
"""Of the PostgreSQL advisory lock that lets one replica migrate at a time."""
NEW_DATABASE = "new.sql"
"""In the folder of revisions: statements that make of a new SQLite file what the revisions would,
up to the one that they store. `make databases` writes it."""
END = ";\n"
"""End of a statement in that file."""


def migrate(engine: Engine, migrations: Path, service: str) -> None:
    """Applies the service's revisions that the database lacks.

    On PostgreSQL the service gets a schema of its name.
    """
    head = max(path.name.split("_")[0] for path in migrations.glob("[0-9]*_*.py"))
    if _current(engine, service) >= head:
        return
    if engine.dialect.name == "sqlite" and (migrations / NEW_DATABASE).exists():
        _fill_new(engine, (migrations / NEW_DATABASE).read_text(encoding="utf-8"))
        if _current(engine, service) >= head:
            return
    upgrade(engine, migrations, service)


def upgrade(engine: Engine, migrations: Path, service: str) -> None:
    """Applies revisions with Alembic."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    # A percent sign in a path would be one of the config's own.
    scripts = Path(__file__).parent / "alembic_env"
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("version_locations", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["version_table"] = version_table(service)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
            connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{service}"'))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def version_table(service: str) -> str:
    """Name of the table with the revision: one for each service, should they share a database."""
    return f"{service}_revision"


def _fill_new(engine: Engine, script: str) -> None:
    """Runs the statements of a script in an empty SQLite file, all or none; leaves others alone."""
    with engine.begin() as connection:
        if connection.scalar(text("SELECT count(*) FROM sqlite_master")):
            return
        for statement in script.split(END):
            connection.exec_driver_sql(statement)


def _current(engine: Engine, service: str) -> str:
    query = text(f"SELECT version_num FROM {version_table(service)}")  # noqa: S608
    try:
        with engine.connect() as connection:
            version = connection.scalar(query)
    except DBAPIError:
        # No such table: a new database. One that cannot be reached fails at the next step.
        return ""
    return version or ""
