"""Export and import of the whole studio, through the facade and all real domains."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio

from chassis import errors, translate
from chassis.domains import DOMAINS
from chassis.testing import parts_of, services, serving, settings_in
from ft.proto.fine_tuning_studio_pb2 import ExportDatabaseRequest, ImportDatabaseRequest
from ft.proto.fine_tuning_studio_pb2_grpc import FineTuningStudioStub

TABLES = (
    "models",
    "datasets",
    "adapters",
    "prompts",
    "fine_tuning_jobs",
    "evaluation_jobs",
    "configs",
)
FIELD: dict[str, Any] = {
    "alembic_version": {"schema": "CREATE TABLE ...", "data": [{"version_num": "abc"}]},
    "models": {"schema": "DROP TABLE models", "data": [{"id": "m", "name": "o/m", "type": None}]},
    "datasets": {"schema": "", "data": [{"id": "d", "features": '["a"]'}, {"id": "d-2"}]},
    "adapters": {"schema": "", "data": [{"id": "a", "name": "tuned", "model_id": "m"}]},
    "prompts": {"schema": "", "data": [{"id": "p", "dataset_id": "d"}]},
    "fine_tuning_jobs": {
        "schema": "",
        "data": [{"id": "f", "num_epochs": 2, "learning_rate": 0.002, "cml_job_id": "c-1"}],
    },
    "evaluation_jobs": {
        "schema": "",
        "data": [{"id": "e", "evaluation_dir": "mlflow_results/e", "num_cpu": 2}],
    },
    "configs": {"schema": "", "data": [{"id": "c", "type": "custom", "config": "{}"}]},
}
"""What a studio in the field exports, that knows nothing of the columns of ours."""


class Studio:
    """A studio in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        settings = settings_in(folder, "test")
        self.project = settings.project
        self.channel = aio.insecure_channel(settings.address_of("facade"))
        self._stub: Any = FineTuningStudioStub(self.channel)

    async def export(self) -> dict[str, Any]:
        request = ExportDatabaseRequest()
        answer = await self._stub.ExportDatabase(request, wait_for_ready=True, timeout=20)
        found: dict[str, Any] = json.loads(answer.exported_json)
        return found

    async def take(self, location: str) -> None:
        request = ImportDatabaseRequest(imported_json_path=location)
        await self._stub.ImportDatabase(request, wait_for_ready=True, timeout=20)

    async def take_content(self, content: object) -> None:
        (self.project / "export.json").write_text(json.dumps(content))
        await self.take("export.json")

    async def refusal(self, location: str) -> errors.Refusal:
        with pytest.raises(aio.AioRpcError) as refused:
            await self.take(location)
        return translate.from_rpc_error(refused.value, "facade")


@asynccontextmanager
async def studio_in(folder: Path, *names: str) -> AsyncIterator[Studio]:
    settings = settings_in(folder, "facade")
    async with services(folder, *(names or DOMAINS)), serving(settings, parts_of(settings)):
        studio = Studio(folder)
        yield studio
        await studio.channel.close(None)


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with studio_in(tmp_path / "s") as studio:
        yield studio


def rows(export: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {name: table["data"] for name, table in export.items()}


async def test_every_table_is_exported_with_its_schema(studio: Studio) -> None:
    exported = await studio.export()
    assert sorted(exported) == sorted(TABLES)
    for name, table in exported.items():
        assert table["schema"].startswith(f"CREATE TABLE IF NOT EXISTS {name} (")
        assert isinstance(table["data"], list)


async def test_a_file_of_a_studio_in_the_field_is_taken_in(studio: Studio) -> None:
    await studio.take_content(FIELD)
    taken = rows(await studio.export())
    for name in TABLES:
        for given in FIELD[name]["data"]:
            [found] = [row for row in taken[name] if row["id"] == given["id"]]
            assert {key: found[key] for key in given} == given
    for name in ("fine_tuning_jobs", "evaluation_jobs"):
        assert [row["state"] for row in taken[name]] == ["UNKNOWN"]


async def test_an_export_makes_the_same_studio_elsewhere(studio: Studio, tmp_path: Path) -> None:
    await studio.take_content(FIELD)
    exported = await studio.export()
    async with studio_in(tmp_path / "t") as other:
        await other.take_content(exported)
        again = await other.export()
        # Shipped configs are in every studio, so their order and age are its own.
        assert {r["id"] for r in rows(again)["configs"]} == {
            r["id"] for r in rows(exported)["configs"]
        }
        for name in set(TABLES) - {"configs"}:
            assert again[name] == exported[name]


async def test_what_is_there_already_is_left_as_it_is(studio: Studio) -> None:
    await studio.take_content(FIELD)
    before = await studio.export()
    changed = {"models": {"data": [{"id": "m", "name": "other"}, {"id": "m-2", "name": "new"}]}}
    await studio.take_content(changed)
    after = await studio.export()
    assert [row["name"] for row in rows(after)["models"]] == ["o/m", "new"]
    assert after["datasets"] == before["datasets"]


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
async def test_if_one_domain_refuses_none_takes_anything(
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
async def test_a_file_that_is_no_export(studio: Studio, content: bytes, said: str) -> None:
    (studio.project / "bad.json").write_bytes(content)
    refused = await studio.refusal("bad.json")
    assert isinstance(refused, errors.InvalidArgument)
    assert [v.field for v in refused.violations] == ["imported_json_path"]
    assert said in refused.message


@pytest.mark.parametrize("location", ["", " ", "missing.json", "..", "../outside.json", "link"])
async def test_a_file_that_is_not_for_the_studio(studio: Studio, location: str) -> None:
    outside = studio.project.parent / "outside.json"
    outside.write_text("{}")
    (studio.project / "link").symlink_to(outside)
    refused = await studio.refusal(location)
    assert isinstance(refused, errors.InvalidArgument)
    assert [v.field for v in refused.violations] == ["imported_json_path"]


async def test_a_domain_that_is_away_is_named_and_nothing_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    there = [name for name in DOMAINS if name != "evaluation"]
    async with studio_in(folder, *there) as studio:
        with pytest.raises(aio.AioRpcError) as away:
            await studio.export()
        assert away.value.code() is grpc.StatusCode.UNAVAILABLE
        (studio.project / "export.json").write_text(json.dumps(FIELD))
        refused = await studio.refusal("export.json")
        assert refused.metadata == {"service": "evaluation"}
    async with studio_in(folder) as studio:
        assert rows(await studio.export())["models"] == []
