"""The database file of today's studio, every table filled, through `fts db import-sqlite`."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.contract.todays_studio import COLUMNS, FLOATS, INTEGERS, TodaysStudio
from tests.e2e.conftest import Studio, serving
from tests.support import run

pytestmark = pytest.mark.starts_processes


def value(column: str, number: int) -> Any:
    if column in INTEGERS:
        return number + 1
    if column in FLOATS:
        return 0.25 * (number + 1)
    return f"{column} {number} ü"


def old_studio(file: Path) -> dict[str, list[dict[str, Any]]]:
    """Makes the file; its rows by table. The last row of each table has nothing but its id."""
    rows: dict[str, list[dict[str, Any]]] = {}
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        db.execute("INSERT INTO alembic_version VALUES ('0123456789ab')")
        for table, columns in COLUMNS.items():
            db.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            rows[table] = [
                {column: value(column, number) for column in columns} for number in range(3)
            ]
            rows[table].append({**dict.fromkeys(columns), "id": f"bare {table}"})
            marks = ", ".join("?" * len(columns))
            for number, row in enumerate(rows[table][:3]):
                row["id"] = f"{table} {number}"
            db.executemany(
                f"INSERT INTO {table} VALUES ({marks})", [tuple(r.values()) for r in rows[table]]
            )
        db.commit()
    return rows


def test_import_from_sqlite_keeps_every_value(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    rows = old_studio(file)
    before = file.read_bytes()
    with serving(tmp_path / "home") as studio:
        dry = studio.fts("db", "import-sqlite", str(file), "--dry-run")
        assert [len(table["taken"]) for table in dry["tables"]] == [4] * 7
        assert not own(studio, rows)["models"]
        studio.fts("db", "import-sqlite", str(file))
        assert own(studio, rows) == rows
        again = studio.fts("db", "import-sqlite", str(file))
        assert [len(table["identical"]) for table in again["tables"]] == [4] * 7
        taken = conflicts(studio, rows)
        through_theirs(studio, tmp_path / "theirs.db", taken)
    assert file.read_bytes() == before
    assert list(tmp_path.glob("state.db*")) == [file]


def conflicts(studio: Studio, rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Imports the file of today's studio and our export, each with another name of a model; what
    our export has then."""
    export(studio)
    file = studio.project / "changed.json"
    theirs = [{**rows["models"][0], "name": "theirs"}]
    file.write_text(json.dumps({"models": {"data": theirs}}))
    refused = run("fts", "db", "import", file.name, env=studio.env)
    assert "already exists with different content (name)" in refused.stderr
    replaced = run("fts", "db", "import", file.name, "--on-conflict", "replace", env=studio.env)
    assert "on_conflict" in replaced.stderr
    skipped = run("fts", "db", "import", file.name, "--on-conflict", "skip", env=studio.env)
    assert "models models 0: skipped; the existing row differs in name" in skipped.stdout
    ours = json.loads((studio.home / "export.json").read_text())
    studio.fts("models", "remove", "models 0")
    file.write_text(json.dumps({"models": {"data": theirs}}))
    studio.fts("db", "import", file.name)
    file.write_text(json.dumps(ours))
    report = studio.fts("db", "import", file.name, "--on-conflict", "replace")
    [models] = [table for table in report["tables"] if table["table"] == "models"]
    assert [(row["id"], row["changed"]) for row in models["replaced"]] == [("models 0", ["name"])]
    # The model that was removed stands at the end now.
    after = own(studio, rows)
    assert sorted(after.pop("models"), key=lambda row: str(row["id"])) == sorted(
        rows["models"], key=lambda row: str(row["id"])
    )
    assert after == {table: of for table, of in rows.items() if table != "models"}
    return export(studio)


def through_theirs(studio: Studio, file: Path, ours: dict[str, Any]) -> None:
    """Has a studio of today import our export, and imports its database file again."""
    theirs = TodaysStudio(file)
    assert theirs.take(ours) == set()
    theirs.db.commit()
    theirs.db.close()
    report = studio.fts("db", "import-sqlite", str(file))
    for table in report["tables"]:
        assert len(table["identical"]) == len(ours[table["table"]]["data"])
        assert not table["stale"]
    assert export(studio) == ours


def export(studio: Studio) -> dict[str, Any]:
    """What `fts db export` writes."""
    target = studio.home / "export.json"
    done = run("fts", "db", "export", str(target), env=studio.env)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(target.read_text())
    return document


def own(studio: Studio, rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """What the studio exports of these rows and of their columns."""
    exported = export(studio)
    ids = {table: {row["id"] for row in of} for table, of in rows.items()}
    return {
        table: [
            {column: row[column] for column in COLUMNS[table]}
            for row in exported[table]["data"]
            if row["id"] in ids[table]
        ]
        for table in COLUMNS
    }
