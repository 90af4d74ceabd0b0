"""Imports onto a studio that has other content under the same ids."""

import copy
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from grpc import aio

from chassis.rpc import errors, rules, translate
from services.facade.tests.studio import Studio, studio_in
from tests.contract.studios import fill, kept, take
from tests.contract.todays_studio import COLUMNS, Document

pytestmark = pytest.mark.slow

WRITTEN = {
    "models": {"name": "new", "description": "new"},
    "datasets": {"description": "new", "roles": '{"new": "user"}'},
    "adapters": {"name": "new"},
    "prompts": {"prompt_template": "new {a}", "input_template": None},
    "configs": {"config": '{"r": 8}', "description": None},
    "fine_tuning_jobs": {"adapter_name": "new", "user_config": "{}"},
    "evaluation_jobs": {"generation_config": "{}"},
}
"""What a person has written otherwise in the first row of each table."""
MOVED = {
    "cml_job_id": "another",
    "state": "FAILED",
    "started_at": "2027-01-01T00:00:00",
    "created_at": "2027-01-01T00:00:00",
    "updated_at": "2027-01-01T00:00:00",
    "step": 99,
    "loss": None,
    "failure_reason": "new",
    "attempt": 5,
}
"""What moves in a job by itself."""


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with studio_in(tmp_path / "ours") as studio:
        fill(tmp_path / "ours")
        yield studio


def changed(document: Document, table: str, **values: Any) -> Document:
    """The document as this studio would export it if the first row had other values."""
    return with_values(document, table, f"{table}-0", values)


def with_values(document: Document, table: str, id: str, values: dict[str, Any]) -> Document:
    # Earlier exports had the studio's own columns within the row, so that no digest is needed.
    new = copy.deepcopy(document)
    own = new[f"fts_{table}"]["data"]
    [extra] = [row for row in own if row["row_id"] == id]
    own.remove(extra)
    [row] = [row for row in new[table]["data"] if row["id"] == id]
    row |= json.loads(extra["extra_json"]) | values
    return new


async def exported(studio: Studio, **of_tables: dict[str, Any]) -> Document:
    document = await studio.export()
    for table, values in of_tables.items():
        document = changed(document, table, **values)
    return document


async def refusal(studio: Studio, document: Document, on_conflict: str = "") -> Any:
    with pytest.raises(aio.AioRpcError) as refused:
        await take(studio, document, on_conflict)
    return translate.from_rpc_error(refused.value, "facade")


@pytest.mark.parametrize("on_conflict", ["", "refuse"])
async def test_import_refuses_rows_with_other_content(
    studio: Studio, tmp_path: Path, on_conflict: str
) -> None:
    before = kept(tmp_path / "ours")
    document = await exported(studio, **WRITTEN)
    refused = await refusal(studio, document, on_conflict)
    assert isinstance(refused, errors.InvalidArgument)
    told = {v.field.split("[")[0]: v for v in refused.violations}
    assert told.keys() == WRITTEN.keys()
    for table, written in WRITTEN.items():
        assert told[table].rule == rules.SAME_CONTENT.id
        assert all(column in told[table].description for column in written)
    assert kept(tmp_path / "ours") == before


async def test_skip_keeps_existing_rows_and_takes_the_rest(studio: Studio, tmp_path: Path) -> None:
    document = await exported(studio, **WRITTEN)
    document["models"]["data"].append(dict.fromkeys(COLUMNS["models"]) | {"id": "added"})
    before = kept(tmp_path / "ours")
    reports = await take(studio, document, "skip")
    for table, written in WRITTEN.items():
        [row] = reports[table].skipped
        assert (row.id, set(row.kept), list(row.changed)) == (f"{table}-0", set(written), [])
        assert not reports[table].refused
    assert list(reports["models"].taken) == ["added"]
    after = kept(tmp_path / "ours")
    after["models"] = [row for row in after["models"] if row["id"] != "added"]
    assert after == before


async def test_replace_changes_fields_that_people_write(studio: Studio, tmp_path: Path) -> None:
    document = await exported(studio, **WRITTEN)
    before = kept(tmp_path / "ours", "updated_at")
    dry = await take(studio, document, "replace", dry_run=True)
    assert kept(tmp_path / "ours", "updated_at") == before
    reports = await take(studio, document, "replace")
    assert reports == dry
    after = kept(tmp_path / "ours", "updated_at")
    for table, written in WRITTEN.items():
        [row] = reports[table].replaced
        assert (row.id, set(row.changed), list(row.kept)) == (f"{table}-0", set(written), [])
        assert len(reports[table].identical) == len(before[table]) - 1
        [there] = [row for row in before[table] if row["id"] == f"{table}-0"]
        there |= written
    assert after == before
    # Once it is done there is nothing left to do.
    assert not any(table.replaced for table in (await take(studio, document, "replace")).values())


@pytest.mark.parametrize("table", ["fine_tuning_jobs", "evaluation_jobs"])
@pytest.mark.parametrize("on_conflict", ["refuse", "skip", "replace"])
async def test_job_progress_is_no_conflict_and_is_never_replaced(
    studio: Studio, tmp_path: Path, table: str, on_conflict: str
) -> None:
    before = kept(tmp_path / "ours")
    document = await exported(studio, **{table: MOVED})
    reports = await take(studio, document, on_conflict)
    assert len(reports[table].identical) == 3
    assert kept(tmp_path / "ours") == before


async def test_replace_keeps_state_times_and_ids_of_a_job(studio: Studio, tmp_path: Path) -> None:
    before = kept(tmp_path / "ours", "updated_at")
    ids = {"dataset_id": "other", "base_model_id": None, "out_dir": "elsewhere"}
    values = {**MOVED, **ids, "learning_rate": 0.75, "adapter_name": "new"}
    document = await exported(studio, fine_tuning_jobs=values)
    [row] = (await take(studio, document, "replace"))["fine_tuning_jobs"].replaced
    assert list(row.changed) == ["adapter_name", "learning_rate"]
    assert list(row.kept) == sorted(ids)
    before["fine_tuning_jobs"][0] |= {"learning_rate": 0.75, "adapter_name": "new"}
    assert kept(tmp_path / "ours", "updated_at") == before
    # Where nothing is left to replace, that is said as well.
    document = await exported(studio, fine_tuning_jobs=ids)
    [row] = (await take(studio, document, "replace"))["fine_tuning_jobs"].skipped
    assert list(row.kept) == sorted(ids)


async def test_export_from_before_a_job_moved_is_still_imported(
    studio: Studio, tmp_path: Path
) -> None:
    document = await studio.export()
    for table in ("fine_tuning_jobs", "evaluation_jobs"):
        domain = table.removesuffix("_jobs")
        with closing(sqlite3.connect(tmp_path / f"ours/{domain}.db")) as db, db:
            db.execute(
                f"UPDATE {table} SET state = 'RUNNING', step = 77, updated_at = '2027-01-01'"
            )
            db.execute(
                f"INSERT INTO {table.removesuffix('s')}_events "
                "(id, job_id, kind, created_at, updated_at) "
                f"VALUES ('late', '{table}-0', 'STATE', '2027-01-01', '2027-01-01')"
            )
    before = kept(tmp_path / "ours")
    for on_conflict in ("refuse", "skip", "replace"):
        reports = await take(studio, document, on_conflict)
        for report in (reports[table] for table in COLUMNS):
            assert len(report.identical) == len(document[report.table]["data"])
    assert kept(tmp_path / "ours") == before


async def test_file_of_another_studio_replaces_nothing(studio: Studio, tmp_path: Path) -> None:
    document = {table: {"data": rows["data"]} for table, rows in (await studio.export()).items()}
    theirs = {table: document[table] for table in COLUMNS}
    refused = await refusal(studio, theirs, "replace")
    assert [(v.field, v.rule) for v in refused.violations] == [
        ("on_conflict", rules.REPLACEABLE.id)
    ]
    # Nor does a row of ours that another studio has changed.
    document["models"]["data"][0]["name"] = "theirs"
    refused = await refusal(studio, document, "replace")
    [violation] = refused.violations
    assert (violation.field, violation.rule) == ("models[0].id", rules.REPLACEABLE.id)
    [skipped] = (await take(studio, document, "skip"))["models"].skipped
    assert (skipped.id, list(skipped.kept)) == ("models-0", ["name"])


async def test_faults_refuse_the_file_under_every_conflict_policy(
    studio: Studio, tmp_path: Path
) -> None:
    before = kept(tmp_path / "ours")
    document = await exported(studio, models={"location": "../x"}, datasets={"description": "n"})
    for on_conflict in ("skip", "replace"):
        refused = await refusal(studio, document, on_conflict)
        assert [v.field for v in refused.violations] == ["models[0].location"]
    assert kept(tmp_path / "ours") == before


@pytest.mark.parametrize("on_conflict", ["overwrite", "REPLACE", " "])
async def test_unknown_conflict_policy_is_refused(studio: Studio, on_conflict: str) -> None:
    refused = await refusal(studio, {}, on_conflict)
    assert [(v.field, v.rule) for v in refused.violations] == [
        ("on_conflict", rules.KNOWN_VALUE.id)
    ]


async def test_replace_is_the_same_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    fill_from = tmp_path / "ours"
    async with studio_in(fill_from) as ours:
        fill(fill_from)
        document = await ours.export()
        replacing = await exported(ours, **WRITTEN)
    async with studio_in(tmp_path / "p", database_url=postgres_url) as studio:
        await take(studio, document)
        assert await studio.export() == document
        reports = await take(studio, replacing, "replace")
        assert [len(reports[table].replaced) for table in WRITTEN] == [1] * 7
        again = await take(studio, replacing)
        assert not any(table.refused for table in again.values())
