"""The database file of a studio that keeps everything in one SQLite file, read as an export."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

TABLES = (
    "models",
    "datasets",
    "adapters",
    "prompts",
    "fine_tuning_jobs",
    "evaluation_jobs",
    "configs",
)
"""Tables of an export. Others, such as `alembic_version`, are left alone."""
OWN_TABLES = "fts_"
"""Beginning of the names of tables that an export of this studio has left there."""


class Unreadable(Exception):
    """The file is no database of a studio. The message names it."""


def document(file: Path) -> dict[str, Any]:
    """The document that the studio of that file would export. Raises Unreadable.

    The file is opened for reading only; one that nobody has open is not even locked.
    """
    if not file.is_file():
        raise Unreadable(f"{file}: there is no such file")
    mode = "mode=ro" if file.with_name(f"{file.name}-wal").exists() else "immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file.resolve()))}?{mode}", uri=True)) as db:
            db.row_factory = sqlite3.Row
            known = {
                row["name"]: row["sql"]
                for row in db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
            }
            found = [name for name in TABLES if name in known]
            if not found:
                raise Unreadable(f"{file}: has none of the tables {', '.join(TABLES)}")
            found += [name for name in known if name.startswith(OWN_TABLES)]
            return {name: {"schema": known[name], "data": _rows(db, name)} for name in found}
    except sqlite3.Error as error:
        raise Unreadable(f"{file}: {error}") from error


def _rows(db: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    name = table.replace('"', '""')
    query = f'SELECT * FROM "{name}" ORDER BY rowid'  # noqa: S608 - the file names its tables
    return [dict(row) for row in db.execute(query)]
