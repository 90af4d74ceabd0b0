"""Export and import of the whole studio, through the facade and all real domains."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio

from chassis import domains
from chassis.domains import DOMAIN_SERVICES
from chassis.rpc import errors, rules, translate
from chassis.rpc.peers import PeerChannel
from chassis.testing.services import settings_in
from chassis.transfer import snapshot
from ft.channel import MAX_MESSAGE_BYTES
from ft.proto.fine_tuning_studio_database_pb2 import ImportDocumentRequest, StreamExportRequest
from ft.proto.fine_tuning_studio_pb2 import (
    AddDatasetRequest,
    AddPromptRequest,
    ListDatasetsRequest,
    PromptMetadata,
)
from ft.proto.tables_pb2 import AbortImportRequest, StageRowsRequest
from services.facade import exporting
from services.facade.exporting import HOLD_ATTEMPTS
from services.facade.tests.studio import FIELD, TABLES, Studio, studio_in

pytestmark = pytest.mark.slow


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with studio_in(tmp_path / "s") as studio:
        yield studio


def rows(export: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The rows of the contract's tables, each with what is the studio's own."""
    found = {}
    for name in TABLES:
        own = export[f"fts_{name}"]["data"]
        values = {row["row_id"]: json.loads(row["extra_json"]) for row in own}
        found[name] = [{**row, **values[row["id"]]} for row in export[name]["data"]]
    return found


async def test_export_has_every_table_with_its_schema(studio: Studio) -> None:
    exported = await studio.export()
    more = {"fts_export_jobs", "fts_export_job_events"}
    more |= {"fts_fine_tuning_job_events", "fts_evaluation_job_events"}
    assert set(exported) == {*TABLES, *(f"fts_{name}" for name in TABLES), *more}
    for name, table in exported.items():
        assert table["schema"].startswith(f"CREATE TABLE IF NOT EXISTS {name} (")
        assert isinstance(table["data"], list)


async def test_export_of_a_studio_in_the_field_is_imported(studio: Studio) -> None:
    await studio.take_content(FIELD)
    taken = rows(await studio.export())
    for name in TABLES:
        for given in FIELD[name]["data"]:
            [found] = [row for row in taken[name] if row["id"] == given["id"]]
            assert {key: found[key] for key in given} == given
    for name in ("fine_tuning_jobs", "evaluation_jobs"):
        assert [row["state"] for row in taken[name]] == ["UNKNOWN"]


def ordered(export: dict[str, Any]) -> dict[str, list[str]]:
    """Every row as it stands in the file, in an order of their own."""
    return {
        name: sorted(json.dumps(row) for row in table["data"]) for name, table in export.items()
    }


async def test_export_makes_the_same_studio_elsewhere(studio: Studio, tmp_path: Path) -> None:
    await studio.take_content(FIELD)
    exported = await studio.export()
    async with studio_in(tmp_path / "t") as other:
        report = await other.take_content(exported)
        shipped = {row["id"] for row in rows(exported)["configs"]} - {"c"}
        assert {id for table in report for id in table.identical} == shipped
        assert {id for table in report for id in table.taken} == {
            "m",
            "d",
            "d-2",
            "a",
            "p",
            "f",
            "e",
            "c",
        }
        assert ordered(await other.export()) == ordered(exported)


async def test_repeated_import_takes_nothing(studio: Studio) -> None:
    await studio.take_content(FIELD)
    before = await studio.export()
    for table in await studio.take_content(FIELD):
        assert not table.taken
        assert len(table.identical) == len(FIELD[table.table]["data"])
    assert await studio.export() == before


async def test_existing_row_with_other_content_is_refused(studio: Studio) -> None:
    await studio.take_content(FIELD)
    before = await studio.export()
    changed = {"models": {"data": [{"id": "m-2", "name": "new"}, {"id": "m", "name": "other"}]}}
    (studio.project / "bad.json").write_text(json.dumps(changed))
    refused = await studio.refusal("bad.json")
    [violation] = refused.violations
    assert (violation.field, violation.rule) == ("models[1].id", rules.SAME_CONTENT.id)
    assert await studio.export() == before


async def test_dry_run_reports_all_and_changes_nothing(studio: Studio) -> None:
    await studio.take_content(FIELD)
    before = await studio.export()
    models = [{"id": "m", "name": "o/m"}, {"id": "m-2"}, {"id": "m-3", "location": "../x"}, 7]
    request = ImportDocumentRequest(
        exported_json=json.dumps({"models": {"data": models}}), dry_run=True
    )
    answer = await studio.database.ImportDocument(request, timeout=120)
    [report] = [table for table in answer.tables if table.table == "models"]
    assert (list(report.identical), list(report.taken)) == (["m"], ["m-2"])
    assert [(row.place, row.id, row.rule) for row in report.refused] == [
        ("models[2].location", "m-3", rules.CONFINED.id),
        ("models[3]", "", rules.EXPORT_FILE.id),
    ]
    assert await studio.export() == before


async def test_streamed_export_is_the_same_document(studio: Studio) -> None:
    await studio.take_content(FIELD)
    whole = await studio.export()
    parts = [part.data async for part in studio.database.StreamExport(StreamExportRequest())]
    assert json.loads(b"".join(parts)) == whole


async def test_export_may_be_larger_than_a_message_of_the_domains(studio: Studio) -> None:
    text = "x" * 60_000
    datasets = [{"id": f"d-{n}", "name": f"{n}", "description": text} for n in range(400)]
    await studio.take_content({"datasets": {"data": datasets}})
    stream = studio.database.StreamExport(StreamExportRequest())
    parts = [part.data async for part in stream]
    assert max(map(len, parts)) <= 1024 * 1024
    document = b"".join(parts)
    assert len(document) > MAX_MESSAGE_BYTES
    assert json.loads(document) == await studio.export()


async def test_export_is_one_instant_of_all_domains(studio: Studio) -> None:
    (studio.project / "rows.csv").write_text("a\n1\n")
    fields = ("prompt_template", "input_template", "completion_template")

    async def register() -> None:
        for number in range(60):
            dataset = AddDatasetRequest(type="project_csv", location="rows.csv", name=f"d-{number}")
            added = await studio.stub.AddDataset(dataset)
            prompt = PromptMetadata(
                id=f"p-{number}",
                name=f"p-{number}",
                dataset_id=added.dataset.id,
                **dict.fromkeys(fields, "{a}"),
            )
            await studio.stub.AddPrompt(AddPromptRequest(prompt=prompt))

    await studio.export()
    writing = asyncio.create_task(register())
    seen = []
    while not writing.done():
        exported = rows(await studio.export())
        there = {row["id"] for row in exported["datasets"]}
        assert all(row["dataset_id"] in there for row in exported["prompts"])
        assert len(there) - len(exported["prompts"]) in (0, 1)
        seen.append(len(there))
    await writing
    assert len(set(seen)) > 3


@pytest.mark.parametrize("missed", [2, HOLD_ATTEMPTS])
async def test_export_is_requested_again_if_a_domain_let_go_early(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, missed: int
) -> None:
    monkeypatch.setattr(snapshot, "HELD_SECONDS", 0.0)
    attempts = 0

    async def hold(channels: Mapping[str, PeerChannel], stack: AsyncExitStack) -> Any:
        nonlocal attempts
        attempts += 1
        if attempts > missed:
            monkeypatch.setattr(snapshot, "HELD_SECONDS", 60.0)
        return await hold_once(channels, stack)

    hold_once = exporting._hold
    monkeypatch.setattr(exporting, "_hold", hold)
    if missed == HOLD_ATTEMPTS:
        with pytest.raises(aio.AioRpcError) as refused:
            await studio.export()
        assert refused.value.code() is grpc.StatusCode.ABORTED
        assert attempts == HOLD_ATTEMPTS
    else:
        assert set(TABLES) <= set(await studio.export())
        assert attempts == missed + 1
    await studio.take_content(FIELD)  # Nobody holds the writers any more.


async def test_import_runs_one_at_a_time(studio: Studio, tmp_path: Path) -> None:
    peer = domains.tables("prompts", settings_in(tmp_path / "s", "test"))
    staged = StageRowsRequest(import_id="x", table="prompts", rows_json='[{"id": "p-1"}]')
    await peer(lambda s: s.StageRows, staged)
    (studio.project / "export.json").write_text(json.dumps(FIELD))
    refused = await studio.refusal("export.json")
    assert (type(refused), refused.code_reason) == (errors.Aborted, "IMPORT_UNDER_WAY")
    await peer(lambda s: s.AbortImport, AbortImportRequest(import_id="x"))
    await studio.take("export.json")
    await peer.close()


@pytest.mark.parametrize(
    ("table", "content", "field"),
    [
        ("evaluation_jobs", {"data": [{"id": "e", "num_cpu": "many"}]}, "[0].num_cpu"),
        ("evaluation_jobs", {"data": [{"id": "e", "state": "BUSY"}]}, "[0].state"),
        ("evaluation_jobs", {"data": [{"id": "e"}, {"id": "e"}]}, "[1].id"),
        ("evaluation_jobs", {"data": [{"name": "no id"}]}, "[0].id"),
        ("evaluation_jobs", {"data": [7]}, "[0]"),
        ("evaluation_jobs", {"data": {}}, ""),
        ("evaluation_jobs", [{"id": "e"}], ""),
        ("models", {"data": [{"id": 7}]}, "[0].id"),
    ],
)
async def test_refusal_of_one_domain_imports_nothing(
    studio: Studio, table: str, content: object, field: str
) -> None:
    before = await studio.export()
    (studio.project / "bad.json").write_text(json.dumps({**FIELD, table: content}))
    refused = await studio.refusal("bad.json")
    assert isinstance(refused, errors.InvalidArgument)
    assert [v.field for v in refused.violations] == [table + field]
    assert await studio.export() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not an export file"),
        (b"{", "not an export file"),
        (b"[]", "must be a JSON object"),
        (b"\xff\xfe\xff", "not an export file"),
        (b"[" * 100_000, "not an export file"),
    ],
)
async def test_file_that_is_no_export_is_refused(studio: Studio, content: bytes, said: str) -> None:
    (studio.project / "bad.json").write_bytes(content)
    refused = await studio.refusal("bad.json")
    assert isinstance(refused, errors.InvalidArgument)
    assert [v.field for v in refused.violations] == ["imported_json_path"]
    assert said in refused.message


@pytest.mark.parametrize("location", ["", " ", "missing.json", "..", "../outside.json", "link"])
async def test_file_outside_the_studio_is_refused(studio: Studio, location: str) -> None:
    outside = studio.project.parent / "outside.json"
    outside.write_text("{}")
    (studio.project / "link").symlink_to(outside)
    refused = await studio.refusal(location)
    assert isinstance(refused, errors.InvalidArgument)
    assert [v.field for v in refused.violations] == ["imported_json_path"]


async def test_domain_that_is_down_is_named_and_nothing_imported(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    there = [name for name in DOMAIN_SERVICES if name != "evaluation"]
    async with studio_in(folder, *there) as studio:
        with pytest.raises(aio.AioRpcError) as away:
            await studio.export()
        assert away.value.code() is grpc.StatusCode.UNAVAILABLE
        (studio.project / "export.json").write_text(json.dumps(FIELD))
        refused = await studio.refusal("export.json")
        assert refused.metadata == {"service": "evaluation"}
    async with studio_in(folder) as studio:
        assert rows(await studio.export())["models"] == []


async def test_service_is_the_same_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    async with studio_in(tmp_path / "p", database_url=postgres_url) as studio:
        await studio.take_content(FIELD)
        exported = await studio.export()
        report = await studio.take_content(exported)
        assert not [table for table in report if table.taken or table.refused]
    async with studio_in(tmp_path / "s") as other:
        await other.take_content(exported)
        assert ordered(await other.export()) == ordered(exported)


@pytest.mark.parametrize("id", ["\ud800", "a\0b", "x" * 70_000])
async def test_id_that_cannot_be_requested_is_refused(studio: Studio, id: str) -> None:
    content = {"models": {"data": [{"id": id, "name": "n"}]}}
    request = ImportDocumentRequest(exported_json=json.dumps(content), dry_run=True)
    answer = await studio.database.ImportDocument(request, timeout=120)
    [refused] = [row for table in answer.tables for row in table.refused]
    assert refused.place == "models[0].id"


async def test_imported_job_runs_nothing(studio: Studio) -> None:
    spec = {"template": "T", "arguments": "", "cpu": 1, "memory": 1, "gpu": 0, "script": "/x.py"}
    job = {"id": "j", "state": "QUEUED", "spec": json.dumps(spec), "run_id": "r"}
    await studio.take_content({"fine_tuning_jobs": {"data": [job]}})
    [taken] = rows(await studio.export())["fine_tuning_jobs"]
    assert taken["state"] == "UNKNOWN"
    assert not {"spec", "run_id", "sent_at", "request_id"} & set(taken)


async def test_list_too_large_for_a_message_comes_in_pages(studio: Studio) -> None:
    text = "x" * 60_000
    datasets = [{"id": f"d-{n}", "name": f"{n}", "description": text} for n in range(300)]
    await studio.take_content({"datasets": {"data": datasets}})
    with pytest.raises(aio.AioRpcError) as refused:
        await studio.stub.ListDatasets(ListDatasetsRequest())
    refusal = translate.from_rpc_error(refused.value, "facade")
    assert (type(refusal), refusal.code_reason) == (errors.ResourceExhausted, "ANSWER_TOO_LARGE")
    seen, token = [], ""
    while True:
        request = ListDatasetsRequest(page_size=1000, page_token=token)
        page = await studio.stub.ListDatasets(request)
        seen += [dataset.id for dataset in page.datasets]
        token = page.next_page_token
        if not token:
            break
    assert seen == [row["id"] for row in datasets]
