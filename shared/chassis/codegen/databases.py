"""Writes `new.sql` of each service: what its revisions make of a new SQLite file, as statements.

`--check` writes nothing, and fails if a file is not what the revisions make.
"""

import sqlite3
import sys
import tempfile
from pathlib import Path

from sqlalchemy import create_engine

from chassis.config import sqlite_url
from chassis.store.migrate import END, NEW_DATABASE, upgrade

SERVICES = Path(__file__).parents[3] / "services"


def statements(migrations: Path, service: str) -> str:
    """The statements that make of a new SQLite file what the revisions do."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "new.db"
        engine = create_engine(sqlite_url(file))
        upgrade(engine, migrations, service)
        engine.dispose()
        connection = sqlite3.connect(file)
        dump = [line.removesuffix(";") for line in connection.iterdump()][1:-1]
        # The indexes of a table are made in any order.
        dump.sort(key=lambda one: one if one.startswith("CREATE INDEX") else "")
        connection.close()
    assert not any(END in one for one in dump)
    return END.join([*dump, ""])


def main() -> None:
    """Writes or checks the files."""
    check, outdated = "--check" in sys.argv[1:], []
    for migrations in sorted(SERVICES.glob("*/migrations")):
        made, file = statements(migrations, migrations.parent.name), migrations / NEW_DATABASE
        if check and (not file.exists() or file.read_text(encoding="utf-8") != made):
            outdated.append(str(file.relative_to(SERVICES.parent)))
        if not check:
            file.write_text(made, encoding="utf-8")
    if outdated:
        sys.exit(f"not what the revisions make: {', '.join(outdated)}; run `make databases`")


if __name__ == "__main__":
    main()
