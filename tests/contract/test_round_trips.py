"""Exports and imports between this studio and the one that is in use today."""

import json
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from grpc import aio

from chassis.rpc import rules
from ft.proto.fine_tuning_studio_database_pb2 import ImportDocumentRequest
from services.facade.tests.studio import Studio, studio_in
from tests.contract.studios import fill, kept, take
from tests.contract.todays_studio import (
    COLUMNS,
    FLOATS,
    INTEGERS,
    Document,
    TodaysStudio,
    seven,
)

pytestmark = pytest.mark.slow

TEXTS = ("", " ", "a", "ü 語 \u202e", 'it\'s "quoted"', "line\nline", "[]", "null", "1", "x" * 5000)
WHOLE = (0, 1, -1, 2**31 - 1, -(2**31 - 1))
NUMBERS = (0.0, 1.0, 0.1, 2e-4, 1e-300, -3.0, 1e15, 123456789.123456789)
TEMPLATES = ("", "{a}", "{a} {b}\n", "no columns", "{{}}")


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with studio_in(tmp_path / "ours") as studio:
        yield studio


def value(dice: random.Random, column: str) -> Any:
    if dice.random() < 0.3:
        return None
    if column in INTEGERS:
        return dice.choice(WHOLE)
    if column in FLOATS:
        return dice.choice(NUMBERS)
    if column.endswith("_template"):
        return dice.choice(TEMPLATES)
    return dice.choice(TEXTS)


def in_use(file: Path, rows: int) -> TodaysStudio:
    """A studio of today with many rows of any values that its columns take, and one bare row in
    each table."""
    dice = random.Random(12)
    theirs = TodaysStudio(file)
    for table, columns in COLUMNS.items():
        for number in range(rows):
            row = {column: value(dice, column) for column in columns[1:]}
            theirs.insert(table, id=f"{table}-{number}", **row)
        theirs.insert(table, id=f"bare-{table}")
    return theirs


def of_ids(document: Document, like: Document) -> dict[str, list[dict[str, Any]]]:
    """The rows of the seven tables that another document has, too."""
    ids = {table: {row["id"] for row in rows} for table, rows in seven(like).items()}
    return {
        table: [row for row in rows if row["id"] in ids[table]]
        for table, rows in seven(document).items()
    }


async def test_export_survives_a_round_trip_through_another_studio(
    studio: Studio, tmp_path: Path
) -> None:
    theirs = in_use(tmp_path / "theirs.db", rows=40)
    first = theirs.export()
    await take(studio, first)
    ours = await studio.export()
    assert of_ids(ours, first) == seven(first)
    running = TodaysStudio(tmp_path / "running.db", [("lora_config", None, "{}")])
    assert running.take(ours) == set()
    second = running.export()
    assert of_ids(second, first) == seven(first)
    for number, whole in enumerate((False, True)):
        async with studio_in(tmp_path / f"{number}") as again:
            reports = await take(again, running.export(unknown_tables=whole))
            assert not any(table.stale for table in reports.values())
            assert of_ids(await again.export(), first) == seven(first)


async def test_seven_tables_have_the_columns_of_the_contract_in_order(
    studio: Studio, tmp_path: Path
) -> None:
    fill(tmp_path / "ours")
    document = await studio.export()
    for table, columns in COLUMNS.items():
        assert document[table]["data"]
        assert all(list(row) == columns for row in document[table]["data"])
        with closing(sqlite3.connect(":memory:")) as db:
            db.execute(document[table]["schema"])
            made = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        assert made == columns


async def test_export_and_import_keep_everything(studio: Studio, tmp_path: Path) -> None:
    fill(tmp_path / "ours")
    document = await studio.export()
    async with studio_in(tmp_path / "other") as other:
        await take(other, document)
        assert kept(tmp_path / "other") == kept(tmp_path / "ours")
        for table in (await take(other, document)).values():
            assert table.identical
            assert not table.taken
        assert kept(tmp_path / "other") == kept(tmp_path / "ours")


async def test_rows_untouched_by_another_studio_keep_our_columns(
    studio: Studio, tmp_path: Path
) -> None:
    fill(tmp_path / "ours")
    theirs = TodaysStudio(tmp_path / "theirs.db")
    for _ in range(2):  # The second brings the tables of ours that are there already once more.
        assert theirs.take(await studio.export()) <= set(COLUMNS)
    async with studio_in(tmp_path / "other") as other:
        await take(other, theirs.export(unknown_tables=True))
        assert kept(tmp_path / "other") == kept(tmp_path / "ours")


async def test_rows_changed_by_another_studio_lose_our_columns(
    studio: Studio, tmp_path: Path
) -> None:
    fill(tmp_path / "ours")
    theirs = TodaysStudio(tmp_path / "theirs.db")
    assert theirs.take(await studio.export()) == set()
    theirs.db.execute("UPDATE datasets SET description = 'new' WHERE id = 'datasets-0'")
    theirs.db.execute("UPDATE fine_tuning_jobs SET adapter_name = 'n' WHERE id LIKE '%-0'")
    theirs.db.execute("DELETE FROM fine_tuning_jobs WHERE id = 'fine_tuning_jobs-1'")
    theirs.insert("fine_tuning_jobs", id="theirs", num_cpu=2)
    document = theirs.export(unknown_tables=True)
    async with studio_in(tmp_path / "other") as other:
        reports = await take(other, document)
        assert list(reports["datasets"].stale) == ["datasets-0"]
        assert list(reports["fine_tuning_jobs"].stale) == ["fine_tuning_jobs-0"]
        assert of_ids(await other.export(), document) == seven(document)
        there = kept(tmp_path / "other")
    before = kept(tmp_path / "ours")
    changed, *same = there["datasets"]
    assert same == before["datasets"][1:]
    assert (changed["commit"], changed["roles"]) == (None, None)
    assert changed["created_at"] != before["datasets"][0]["created_at"]
    jobs = {job["id"]: job["state"] for job in there["fine_tuning_jobs"]}
    assert jobs == {
        "fine_tuning_jobs-0": "UNKNOWN",
        "fine_tuning_jobs-2": "SUCCEEDED",
        "theirs": "UNKNOWN",
    }
    assert [e["job_id"] for e in there["fine_tuning_job_events"]] == ["fine_tuning_jobs-2"]


async def test_export_with_our_columns_in_the_seven_tables_is_imported(
    studio: Studio, tmp_path: Path
) -> None:
    fill(tmp_path / "ours")
    document = await studio.export()
    older: Document = {}
    for table in COLUMNS:
        own = document[f"fts_{table}"]["data"]
        values = {row["row_id"]: json.loads(row["extra_json"]) for row in own}
        rows = [{**row, **values[row["id"]]} for row in document[table]["data"]]
        older[table] = {"schema": "", "data": rows}
    async with studio_in(tmp_path / "other") as other:
        await take(other, older)
        for table in COLUMNS:
            assert kept(tmp_path / "other")[table] == kept(tmp_path / "ours")[table]
        changed = older["models"]["data"][0] | {"name": "older"}
        reports = await take(other, {"models": {"data": [changed]}}, "replace")
        assert [row.id for row in reports["models"].replaced] == [changed["id"]]


async def test_job_with_many_reports_keeps_the_export_small(studio: Studio, tmp_path: Path) -> None:
    fill(tmp_path / "ours", rows=1)
    with closing(sqlite3.connect(tmp_path / "ours/fine_tuning.db")) as db, db:
        for number in range(4000):
            db.execute(
                "INSERT INTO fine_tuning_job_events (id, job_id, kind, progress, created_at, "
                "updated_at) VALUES (?, 'fine_tuning_jobs-0', ?, ?, '2026-01-01', '2026-01-01')",
                (f"e-{number}", "PROGRESS", json.dumps({"step": number})),
            )
        db.execute("UPDATE fine_tuning_job_events SET kind = 'NOTICE' WHERE id LIKE 'e-%7'")
    exported = (await studio.export())["fts_fine_tuning_job_events"]["data"]
    events = [json.loads(row["extra_json"]) for row in exported]
    assert len([event for event in events if event["kind"] == "NOTICE"]) == 400
    reports = [event["id"] for event in events if event["kind"] == "PROGRESS"]
    assert 800 < len(reports) <= 1000
    assert reports[-1] == "e-3999"


@pytest.mark.parametrize(
    ("table", "row", "field", "rule"),
    [
        ("fts_models", 7, "fts_models[0]", rules.OWN_TABLE),
        ("fts_models", {"row_id": "m"}, "fts_models[0]", rules.OWN_TABLE),
        ("fts_models", "[1]", "fts_models[0].extra_json", rules.OWN_TABLE),
        ("fts_models", "{", "fts_models[0].extra_json", rules.OWN_TABLE),
        ("fts_export_jobs", '{"id": "x"}', "export_jobs[0].artifact_location", rules.COLUMN_VALUE),
    ],
)
async def test_broken_table_of_ours_is_refused(
    studio: Studio, table: str, row: Any, field: str, rule: rules.Rule
) -> None:
    if isinstance(row, str):
        row = {"row_id": None, "row_sha256": None, "extra_json": row}
    with pytest.raises(aio.AioRpcError) as refused:
        await take(studio, {table: {"data": [row]}})
    assert field in str(refused.value.details())
    assert rule.id in str(refused.value.trailing_metadata())


@pytest.mark.parametrize("kind", ["REMOVED", "", "x"])
async def test_event_of_an_unknown_kind_is_refused(
    studio: Studio, tmp_path: Path, kind: str
) -> None:
    # One of kind REMOVED would have the studio end that job in the workspace.
    fill(tmp_path / "ours", rows=1)
    document = await studio.export()
    [event] = document["fts_fine_tuning_job_events"]["data"]
    event["extra_json"] = json.dumps({**json.loads(event["extra_json"]), "kind": kind})
    async with studio_in(tmp_path / "other") as other:
        reports = await take(other, document, dry_run=True)
    [refused] = reports["fine_tuning_job_events"].refused
    assert refused.rule == rules.EVENT_ROW.id


async def test_unknown_tables_and_columns_are_reported(studio: Studio) -> None:
    row = {
        "id": "m",
        "type": "project",
        "name": "m",
        "location": "m",
        "surprise": 1,
        "none": None,
        "\ud800": 1,
    }
    content = {
        "models": {"schema": "", "data": [row]},
        "model": {"schema": "", "data": []},
        "alembic_version": {"schema": "", "data": [{"version_num": "1"}]},
    }
    request = ImportDocumentRequest(exported_json=json.dumps(content), dry_run=True)
    response = await studio.database.ImportDocument(request, wait_for_ready=True)
    assert list(response.left_out_tables) == ["model"]
    [models] = [table for table in response.tables if table.table == "models"]
    assert list(models.left_out_columns) == ["\\ud800", "surprise"]


async def test_file_with_only_unknown_tables_is_refused(studio: Studio) -> None:
    (studio.project / "other.json").write_text('{"model": {"data": []}}')
    assert "none of the studio's tables" in (await studio.refusal("other.json")).message


@pytest.mark.parametrize("twice", ["id", "name", "models", "data"])
async def test_duplicates_in_a_file_are_refused(studio: Studio, twice: str) -> None:
    text = '{"models": {"data": [{"id": "m", "name": "n"}]}, "other": {"data": []}}'
    again = {
        "id": text.replace('"id": "m"', '"id": "m", "id": "k"'),
        "name": text.replace('"name": "n"', '"name": "n", "name": null'),
        "models": text.replace('"other"', '"models"'),
        "data": text.replace('"n"}]', '"n"}], "data": []'),
    }[twice]
    (studio.project / "twice.json").write_text(again)
    refused = await studio.refusal("twice.json")
    assert f"keys more than once: '{twice}'" in refused.message
    assert (await studio.export())["models"]["data"] == []


@pytest.mark.parametrize("column", ["0", "", "12", "a.b", "q[0]", "!x"])
async def test_prompts_with_columns_of_any_name_survive(studio: Studio, column: str) -> None:
    row = {"id": "p", "name": "p", "dataset_id": "d", "prompt_template": f"Q: {{{column}}}"}
    await studio.take_content({"prompts": {"schema": "", "data": [row]}})
    document = await studio.export()
    [kept_row] = document["prompts"]["data"]
    assert kept_row["prompt_template"] == row["prompt_template"]
    [table] = [one for one in await studio.take_content(document) if one.table == "prompts"]
    assert list(table.identical) == ["p"]
