"""Templates that use columns which come late in a file, or are not on record."""

import gzip
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from chassis import domains
from chassis.rpc import errors
from chassis.testing.services import put_rows, services, settings_in
from ft.proto.fine_tuning_studio_pb2 import (
    AddDatasetRequest,
    AddPromptRequest,
    AddPromptResponse,
    DatasetMetadata,
    PromptMetadata,
)

LATE_ROW = 10_200
"""Behind the 100 rows that have to be right, and the 10,000 that were once read for names."""


class Studio:
    """Calls to the two services."""

    def __init__(self, folder: Path) -> None:
        settings = settings_in(folder, "test")
        self.project = settings.project
        self.datasets = domains.datasets(settings)
        self.prompts = domains.prompts(settings)

    async def dataset(self, type: str, location: str) -> DatasetMetadata:
        request = AddDatasetRequest(type=type, name=location, location=location)
        return (await self.datasets(lambda s: s.AddDataset, request)).dataset

    async def prompt(self, dataset_id: str, template: str) -> AddPromptResponse:
        prompt = PromptMetadata(
            id=f"p{template}",
            name=f"p{template}",
            dataset_id=dataset_id,
            prompt_template=template,
            input_template="{q}",
            completion_template=template,
        )
        request = AddPromptRequest(prompt=prompt)
        return await self.prompts(lambda s: s.AddPrompt, request)


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with services(tmp_path, "datasets", "prompts"):
        studio = Studio(tmp_path)
        yield studio
        await studio.datasets.close()
        await studio.prompts.close()


def rows(late: str) -> list[dict[str, object]]:
    return [{"q": "a", "n": 1}] * LATE_ROW + [{"q": "b", late: "c"}]


def write(path: Path, late: str) -> None:
    lines = "".join(f"{json.dumps(row)}\n" for row in rows(late))
    if path.name.endswith(".gz"):
        path.write_bytes(gzip.compress(lines.encode()))
    else:
        path.write_text(json.dumps(rows(late)) if path.suffix == ".json" else lines)


FILES = [("project_jsonl", "d.jsonl"), ("project_json", "d.json"), ("project_jsonl", "d.jsonl.gz")]


@pytest.mark.parametrize(("type", "name"), FILES)
@pytest.mark.parametrize("late", ["late", "späte.Spalte", "a:2000"])
async def test_column_that_appears_late_can_be_used(
    studio: Studio, type: str, name: str, late: str
) -> None:
    write(studio.project / name, late)
    dataset = await studio.dataset(type, name)
    assert json.loads(dataset.features) == ["q", "n", late]
    await studio.prompt(dataset.id, f"{{q}}{{{late}}}")


@pytest.mark.parametrize(("type", "name"), FILES)
@pytest.mark.parametrize("late", ["late", "a.b", "a:2000", "{c}", "x]"])
async def test_column_beyond_the_registered_rows_can_be_used(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, type: str, name: str, late: str
) -> None:
    monkeypatch.setattr("services.datasets.features.NAMING_BYTES", 20_000)
    write(studio.project / name, late)
    dataset = await studio.dataset(type, name)
    assert json.loads(dataset.features) == ["q", "n"]
    await studio.prompt(dataset.id, f"{{q}}{{{late}}}")
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.prompt(dataset.id, "{q}{none}")
    assert f"its columns are q, n, {late}" in str(refused.value)
    assert [one.rule for one in refused.value.violations] == ["FT-402", "FT-402"]


async def test_reading_error_beyond_the_registered_rows_is_reported(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = studio.project / "d.jsonl"
    path.write_text('{"q": 1}\n' * 200 + "{'q'\n" + '{"late": 2}\n')
    request = AddDatasetRequest(type="project_jsonl", name="d", location="d.jsonl")
    added = await studio.datasets(lambda s: s.AddDataset, request)
    (notice,) = added.notices
    assert notice.startswith("Jobs that use it are refused: line 201: not JSON")
    with pytest.raises(errors.InvalidArgument, match="cannot be read to its end: line 201"):
        await studio.prompt(added.dataset.id, "{late}")

    write(path, "late")
    monkeypatch.setattr("services.datasets.servicer.MAX_LOOK_SECONDS", 0.0)
    with pytest.raises(errors.InvalidArgument, match="searched up to line 1"):
        await studio.prompt(added.dataset.id, "{late}")
    monkeypatch.undo()
    await studio.prompt(added.dataset.id, "{late}")


def _csv(folder: Path) -> None:
    (folder / "d").write_text("q,late\n1,2\n")


def _folder(folder: Path) -> None:
    (folder / "d").mkdir()
    (folder / "d" / "train.jsonl").write_text('{"q": 1}\n')
    (folder / "d" / "more.jsonl").write_text('{"q": 1}\n{"late": 1}\n')


@pytest.mark.parametrize(("type", "make"), [("project_csv", _csv), ("project", _folder)])
async def test_columns_missing_from_an_imported_record_are_found(
    studio: Studio, tmp_path: Path, type: str, make: Callable[[Path], None]
) -> None:
    make(studio.project)
    row = {"id": "x", "type": type, "name": "d", "location": "d", "features": None}
    await put_rows(tmp_path, "datasets", row)
    await studio.prompt("x", "{q}{late}")


async def test_dataset_without_its_file_is_reported(studio: Studio) -> None:
    (studio.project / "d.csv").write_text("q\n1\n")
    dataset = await studio.dataset("project_csv", "d.csv")
    (studio.project / "d.csv").unlink()
    await studio.prompt(dataset.id, "{q}")
    with pytest.raises(errors.InvalidArgument, match=r"d\.csv no longer exists"):
        await studio.prompt(dataset.id, "{late}")


async def test_imported_template_may_name_a_column_like_a_width(
    studio: Studio, tmp_path: Path
) -> None:
    row = dict.fromkeys(("prompt_template", "input_template", "completion_template"), "{a:2000}")
    await put_rows(tmp_path, "prompts", {"id": "x", "name": "x", "dataset_id": "d", **row})
    malformed = {"id": "y", "name": "y", "dataset_id": "d", **row, "input_template": "{a"}
    report = await put_rows(tmp_path, "prompts", malformed)
    assert "is not closed" in str(report.refused[0])
