"""The datasets service over gRPC."""

import gzip
import json
import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from chassis import domains
from chassis.rpc import errors
from chassis.testing.services import exported_rows, put_rows, services, settings_in
from ft.data_files import type_of
from ft.proto.fine_tuning_studio_pb2 import (
    AddDatasetRequest,
    DatasetMetadata,
    GetDatasetRequest,
    ListDatasetsRequest,
    RemoveDatasetRequest,
)
from rows.cache.cache_folder import CacheFolder


class Studio:
    """Calls to the service."""

    def __init__(self, folder: Path) -> None:
        settings = settings_in(folder, "test")
        self.folder = folder
        self.project = settings.project
        self.datasets = domains.datasets(settings)

    def file(self, name: str, content: str = "customer,intent\n") -> str:
        (self.project / name).write_text(content)
        return name

    async def add(self, **fields: str) -> DatasetMetadata:
        sent = {"type": "project_csv", "name": "d", **fields}
        response = await self.datasets(lambda s: s.AddDataset, AddDatasetRequest(**sent))
        return response.dataset

    async def names(self) -> list[str]:
        response = await self.datasets(lambda s: s.ListDatasets, ListDatasetsRequest())
        return [dataset.name for dataset in response.datasets]


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with services(tmp_path, "datasets"):
        studio = Studio(tmp_path)
        yield studio
        await studio.datasets.close()


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("csv", "customer,intent\n"),
        ("json", '[{"customer": 1, "intent": 2}]'),
        ("jsonl", '{"customer": 1, "intent": 2}\n'),
    ],
)
async def test_file_is_registered(studio: Studio, suffix: str, content: str) -> None:
    location = studio.file(f"rows.{suffix}", content)
    added = await studio.add(type=f"project_{suffix}", location=location, name=" mine ")
    assert (added.name, added.location, added.description) == ("mine", location, location)
    assert json.loads(added.features) == ["customer", "intent"]
    got = await studio.datasets(lambda s: s.GetDataset, GetDatasetRequest(id=added.id))
    assert got.dataset == added


async def test_directory_is_registered(studio: Studio) -> None:
    (studio.project / "rows").mkdir()
    studio.file("rows/train.csv")
    added = await studio.add(type="project", location="rows")
    assert json.loads(added.features) == ["customer", "intent"]


@pytest.mark.parametrize(
    ("location", "content", "told"),
    [
        ("rows.CSV", b"a,b\n1,2\n", ""),
        ("rows.tsv", b"a\tb\n1\t2\n", ""),
        ("rows.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0), ""),
        ("rows.jsonl.gz", gzip.compress(b'{"a": 1, "b": 2}\n', mtime=0), ""),
        ("rows.Json", b'[{"a": 1}, {"a": 2, "b": 3}]', ""),
        ("rows.csv", b"a;b\n1;2\n", "separated by semicolons"),
        ("rows.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (
            "rows.csv",
            b"a,b\n",
            "Jobs that use it are refused: line 1: there are only column names and no rows",
        ),
        ("rows.parquet", None, "Column b has values of the type date32"),
    ],
)
async def test_file_suffixes_decide_the_format_and_its_notices(
    studio: Studio, location: str, content: bytes | None, told: str
) -> None:
    path = studio.project / location
    if content is None:
        table = pyarrow.table({"a": ["x"], "b": [date(2024, 1, 5)]})
        pyarrow.parquet.write_table(table, path)
    else:
        path.write_bytes(content)
    request = AddDatasetRequest(
        type=type_of(location), name="d", location=location, request_id="the-same"
    )
    for _ in range(2):
        response = await studio.datasets(lambda s: s.AddDataset, request)
        assert json.loads(response.dataset.features) == ["a", "b"]
        assert told in " ".join(response.notices)
        assert bool(response.notices) == bool(told)


@pytest.mark.parametrize("type", ["project", "project_csv"])
@pytest.mark.parametrize("location", ["rows.xlsx", "rows.XLS", "rows.zip", "rows.ods"])
async def test_workbooks_and_archives_are_refused_with_the_remedy(
    studio: Studio, type: str, location: str
) -> None:
    studio.file(location, "PK")
    with pytest.raises(errors.InvalidArgument, match="CSV") as refused:
        await studio.add(type=type, location=location)
    assert [violation.rule for violation in refused.value.violations] == ["FT-101"]


async def test_rows_cached_by_jobs_go_with_their_dataset(studio: Studio) -> None:
    location = studio.file("rows.csv", "a,b\n1,2\n")
    added = await studio.add(location=location)
    other = await studio.add(location=location, name="other")
    entries = CacheFolder(studio.project)
    entries.prepare()
    entries.refer(location, "entry.arrow")
    entries.path("entry.arrow").write_bytes(b"")
    await studio.datasets(lambda s: s.RemoveDataset, RemoveDatasetRequest(id=added.id))
    assert entries.path("entry.arrow").exists()
    await studio.datasets(lambda s: s.RemoveDataset, RemoveDatasetRequest(id=other.id))
    assert not entries.path("entry.arrow").exists()


async def test_list_is_oldest_first(studio: Studio) -> None:
    location = studio.file("rows.csv")
    for name in ("b", "a", "c"):
        await studio.add(name=name, location=location)
    assert await studio.names() == ["b", "a", "c"]


async def test_add_names_every_wrong_field(studio: Studio) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.add(type="other", name=" ", location="")
    assert {v.field for v in refused.value.violations} == {"type", "name", "location"}
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.add(type="huggingface", name="", huggingface_name="  ")
    assert {v.field for v in refused.value.violations} == {"huggingface_name"}


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("missing.csv", "is not an existing file"),
        ("rows.json", "must end in .csv"),
        ("folder", "must end in .csv"),
        ("../outside.csv", "lies outside the project directory"),
        ("broken.csv", "broken.csv: line 2: 1 values for 2 columns"),
    ],
)
async def test_refused_location_has_its_reason(studio: Studio, location: str, message: str) -> None:
    (studio.project / "folder").mkdir()
    (studio.project.parent / "outside.csv").write_text("a\n")
    studio.file("rows.json")
    studio.file("broken.csv", "a,b\n1\n")
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.add(location=location)
    assert {v.field for v in refused.value.violations} == {"location"}
    assert message in refused.value.message
    assert await studio.names() == []


async def test_names_are_unique(studio: Studio) -> None:
    first = await studio.add(location=studio.file("rows.csv"))
    with pytest.raises(errors.AlreadyExists) as refused:
        await studio.add(location="rows.csv", name=" d ")
    assert refused.value.metadata == {"field": "name", "holder_id": first.id, "rule": "FT-013"}


async def test_hub_that_does_not_answer_is_reported(studio: Studio) -> None:
    with pytest.raises(errors.Unavailable, match="'some/dataset'"):
        await studio.add(type="huggingface", huggingface_name="some/dataset")
    assert await studio.names() == []


async def test_link_may_lead_to_a_file_without_a_suffix(studio: Studio) -> None:
    (studio.project / "blob").write_text("a,b\n1,2\n")
    (studio.project / "rows.csv").symlink_to("blob")
    assert json.loads((await studio.add(location="rows.csv")).features) == ["a", "b"]


@pytest.mark.parametrize("name", ["..", "/etc", "../project", "a b"])
async def test_path_is_no_hub_dataset(studio: Studio, name: str) -> None:
    with pytest.raises(errors.InvalidArgument, match="is not a dataset on the hub"):
        await studio.add(type="huggingface", huggingface_name=name)


async def test_directory_is_not_taken_for_a_hub_dataset(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    (studio.project / "services").mkdir()
    (studio.project / "services" / "rows.csv").write_text("a,b\n1,2\n")
    monkeypatch.chdir(studio.project)
    with pytest.raises(errors.Unavailable, match="the hub did not answer about dataset"):
        await studio.add(type="huggingface", huggingface_name="services")


async def test_removal_is_idempotent_and_leaves_the_file(studio: Studio) -> None:
    added = await studio.add(location=studio.file("rows.csv"))
    for _ in range(2):
        await studio.datasets(lambda s: s.RemoveDataset, RemoveDatasetRequest(id=added.id))
    with pytest.raises(errors.NotFound, match=added.id):
        await studio.datasets(lambda s: s.GetDataset, GetDatasetRequest(id=added.id))
    assert (studio.project / "rows.csv").is_file()


async def test_remove_needs_the_prompts_service(studio: Studio) -> None:
    added = await studio.add(location=studio.file("rows.csv"))
    request = RemoveDatasetRequest(id=added.id, remove_prompts=True)
    with pytest.raises(errors.Unavailable) as refused:
        await studio.datasets(lambda s: s.RemoveDataset, request)
    assert refused.value.metadata == {"service": "prompts"}
    assert await studio.names() == ["d"]


async def test_table_survives_an_export_and_an_import(studio: Studio) -> None:
    added = await studio.add(location=studio.file("rows.csv"))
    rows = await exported_rows(studio.folder, "datasets")
    assert list(rows[0])[:7] == [
        "id",
        "type",
        "name",
        "description",
        "huggingface_name",
        "location",
        "features",
    ]
    await studio.datasets(lambda s: s.RemoveDataset, RemoveDatasetRequest(id=added.id))
    assert await studio.names() == []
    await put_rows(studio.folder, "datasets", *rows)
    got = await studio.datasets(lambda s: s.GetDataset, GetDatasetRequest(id=added.id))
    assert got.dataset == added


async def test_roles_of_conversations_are_kept(studio: Studio) -> None:
    (studio.project / "t.jsonl").write_text('{"messages": [{"from": "human", "value": "hi"}]}\n')
    roles = {"human": "user", "gpt": "assistant", "Käufer": "user", "critic": "critic"}
    request = AddDatasetRequest(type="project_jsonl", name="d", location="t.jsonl", roles=roles)

    added = (await studio.datasets(lambda s: s.AddDataset, request)).dataset

    assert json.loads(added.roles) == roles
    rows = await exported_rows(studio.folder, "datasets")
    await studio.datasets(lambda s: s.RemoveDataset, RemoveDatasetRequest(id=added.id))
    await put_rows(studio.folder, "datasets", *rows)
    got = await studio.datasets(lambda s: s.GetDataset, GetDatasetRequest(id=added.id))
    assert got.dataset == added
    # What was registered before there were roles, or without them, has none.
    plain = AddDatasetRequest(type="project_jsonl", name="e", location="t.jsonl")
    assert (await studio.datasets(lambda s: s.AddDataset, plain)).dataset.roles == ""
    del rows[0]["roles"]
    await studio.datasets(lambda s: s.RemoveDataset, RemoveDatasetRequest(id=added.id))
    await put_rows(studio.folder, "datasets", *rows)
    got = await studio.datasets(lambda s: s.GetDataset, GetDatasetRequest(id=added.id))
    assert got.dataset.roles == ""


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ({"human": "usr"}, "'human' must be mapped to one of system, developer, user"),
        ({" ": "user"}, "a role has no name"),
        ({"": "user"}, "a role has no name"),
        ({"gpt": ""}, "'gpt' must be mapped to one of"),
        ({"gpt": "Assistant"}, "not to 'Assistant'"),
    ],
)
@pytest.mark.parametrize("type", ["project_jsonl", "huggingface"])
async def test_unknown_roles_are_refused(
    studio: Studio, roles: dict[str, str], said: str, type: str
) -> None:
    studio.file("t.jsonl", '{"a": 1}')
    request = AddDatasetRequest(
        type=type, name="d", location="t.jsonl", huggingface_name="o/n", roles=roles
    )
    with pytest.raises(errors.InvalidArgument, match="roles") as refused:
        await studio.datasets(lambda s: s.AddDataset, request)
    assert said in str(refused.value)
    assert await studio.names() == []


@pytest.mark.parametrize("home", ["a [1] ü*", "{f} g!"])
async def test_home_and_names_are_no_glob_patterns(tmp_path: Path, home: str) -> None:
    async with services(tmp_path / home, "datasets"):
        studio = Studio(tmp_path / home)
        for name in ("d1", "data[1]", "d*", "d?"):
            (studio.project / name).mkdir()
            studio.file(f"{name}/train.csv", f"{name}\n")
            added = await studio.add(type="project", location=name, name=name)
            assert json.loads(added.features) == [name]
            studio.file(f"{name}.csv", f"{name},file\n")
            added = await studio.add(location=f"{name}.csv", name=f"{name}.csv")
            assert json.loads(added.features) == [name, "file"]
        await studio.datasets.close()
    assert (tmp_path / home / "datasets.db").is_file()


async def test_import_takes_all_rows_or_none(studio: Studio) -> None:
    rows: list[Any] = [{"id": "1", "name": "good"}, {"id": "", "name": 5}, "nothing"]
    report = await put_rows(studio.folder, "datasets", *rows)
    assert [row.place for row in report.refused] == ["datasets[1].id", "datasets[2]"]
    assert await studio.names() == []


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
async def test_import_refuses_text_that_cannot_be_stored(studio: Studio, name: str) -> None:
    report = await put_rows(studio.folder, "datasets", {"id": "1", "name": name})
    assert [row.place for row in report.refused] == ["datasets[0].name"]


@pytest.mark.slow
async def test_import_may_be_larger_than_a_statement(studio: Studio) -> None:
    rows = [{"id": str(n), "name": f"d{n}"} for n in range(33_000)]
    await put_rows(studio.folder, "datasets", *rows)
    assert len(await studio.names()) == 33_000


def _lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _said(*roles: str) -> dict[str, Any]:
    return {"talk": [{"from": role, "value": "hi"} for role in roles]}


REMEDY = "Remove the dataset, and add it again with --roles"
PICTURE = {"role": "user", "content": [{"type": "image_url", "image_url": "a.png"}]}


@pytest.mark.parametrize(
    ("content", "roles", "told"),
    [
        (_lines(_said("user", "assistant")), {}, []),
        (_lines({"talk": "human: hi"}), {"human": "user"}, []),
        (
            _lines(_said("user"), _said("human", "gpt")),
            {},
            [
                "the roles gpt, human, .* Jobs that use this dataset are refused. "
                f"{REMEDY} gpt=assistant,human=us"
            ],
        ),
        (
            _lines({"messages": [{"role": "Human", "content": "hi"}]}),
            {},
            [rf"the role Human, .* refused. {REMEDY} Human=user\.$"],
        ),
        (_lines(_said("human", "gpt")), {"human": "user", "gpt": "assistant"}, []),
        (
            _lines(_said("human", "gpt")),
            {"human": "user"},
            ["the role gpt, .* human=user,gpt=assi"],
        ),
        (_lines(_said("human")), {"human": "human"}, []),
        (
            _lines(_said("human", "gpt")),
            {"human": "user", "gtp": "assistant"},
            ["the role gpt, ", "No message of the first 1,000 rows has the role gtp, which is set"],
        ),
        (
            _lines(_said("human"), {"talk": [PICTURE]}),
            {},
            [
                "the role human, ",
                "^line 2: column talk: message 1 has a part of type image_url: only parts of type "
                "text can be used. Jobs that use it are refused.$",
            ],
        ),
    ],
)
async def test_conversations_that_a_job_refuses_are_reported(
    studio: Studio, content: str, roles: dict[str, str], told: list[str]
) -> None:
    studio.file("t.jsonl", content)
    request = AddDatasetRequest(type="project_jsonl", name="d", location="t.jsonl", roles=roles)

    notices = (await studio.datasets(lambda s: s.AddDataset, request)).notices

    assert len(notices) == len(told), notices
    for notice, expected in zip(notices, told, strict=True):
        assert re.search(expected, notice), notice


async def test_conversations_in_other_files_are_reported(studio: Studio) -> None:
    (studio.project / "rows").mkdir()
    studio.file("rows/train.jsonl", _lines(_said("human")))
    talks = [[{"from": "human", "value": "hi", "weight": None}], None]
    table = pyarrow.table({"talk": talks})
    pyarrow.parquet.write_table(table, studio.project / "t.parquet")
    studio.file("t.json", json.dumps([_said("human")]))
    for number, (type, location) in enumerate(
        [("project", "rows"), ("project", "t.parquet"), ("project_json", "t.json")]
    ):
        request = AddDatasetRequest(type=type, name=f"d{number}", location=location)
        [notice] = (await studio.datasets(lambda s: s.AddDataset, request)).notices
        assert "the role human" in notice


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ("human=user", "must be a JSON object of texts"),
        ("[1]", "must be a JSON object of texts"),
        ('{"human": 1}', "must be a JSON object of texts"),
        ("[" * 100_000, "must be a JSON object of texts"),
        ('{"human": "master"}', "'human' must be mapped to one of system"),
        ("", ""),
        ('{"human": "user"}', ""),
    ],
)
async def test_roles_that_are_broken_are_not_imported(
    studio: Studio, roles: str, said: str
) -> None:
    studio.file("t.jsonl", _lines(_said("human")))
    row = {"id": "d-1", "type": "project_jsonl", "name": "d", "location": "t.jsonl", "roles": roles}

    report = await put_rows(studio.folder, "datasets", row)

    assert await studio.names() == ([] if said else ["d"])
    if not said:
        assert not report.refused
        return
    [refused] = report.refused
    assert (refused.place, refused.rule) == ("datasets[0].roles", "FT-121")
    assert said in refused.reason
