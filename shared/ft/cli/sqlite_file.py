"""Reads the database file of a studio that stores everything in one SQLite file."""

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
"""Prefix of the names of tables that an export of this studio has added."""


class UnreadableDatabase(Exception):
    """The file is no database of a studio. The message names it."""


def document(file: Path) -> dict[str, Any]:
    """The document that the studio of that file would export. Raises UnreadableDatabase.

    The file is opened for reading only. It is not locked if no other process has it open.
    """
    if not file.is_file():
        raise UnreadableDatabase(f"{file} does not exist")
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
                raise UnreadableDatabase(f"{file} has none of the tables {', '.join(TABLES)}")
            found += [name for name in known if name.startswith(OWN_TABLES)]
            tables = {}
            for name in found:
                quoted = name.replace('"', '""')
                query = f'SELECT * FROM "{quoted}" ORDER BY rowid'  # noqa: S608 - from the file
                rows = [dict(row) for row in db.execute(query)]
                tables[name] = {"schema": known[name], "data": rows}
            return tables
    except sqlite3.Error as error:
        raise UnreadableDatabase(f"{file}: {error}") from error
