"""Datasets of the hub, asked for at a server that answers as the hub does."""

import asyncio
import bz2
import gzip
import io
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from chassis import domains
from chassis.rpc import errors
from chassis.testing.hub import COMMIT, Repo, TestHub, hub
from chassis.testing.services import ServiceProcess, settings_in
from chassis.testing.troubles import TROUBLES, troubled
from ft.proto.fine_tuning_studio_pb2 import (
    AddDatasetRequest,
    DatasetMetadata,
    ListDatasetsRequest,
    RemoveDatasetRequest,
)
from services.datasets import rules
from tests.processes import starts_processes

TOKEN = "token-of-the-datasets-tests"
CARD = b"""---
dataset_info:
  features:
  - name: question
    dtype: string
  - name: answer
    dtype: string
---
Questions and answers.
"""
FILES = {"README.md": CARD, "train.csv": b"question,answer\nwhy,so\n"}


def table() -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table({"question": ["why"], "answer": ["so"]}), buffer)
    return buffer.getvalue()


REPOS = [
    *troubled("dataset", FILES),
    Repo("dataset", "good/csv", FILES),
    Repo("dataset", "good/parquet", {"README.md": CARD, "data/train-0.parquet": table()}),
    Repo("dataset", "gated/open", FILES, gated=True, readers=(TOKEN,)),
    Repo("dataset", "gated/card", FILES, status=403, code="GatedRepo", where="/resolve/"),
    Repo("dataset", "private/open", FILES, private=True, readers=(TOKEN,)),
    Repo("dataset", "large/files", FILES, linked=True),
    Repo("dataset", "no/files", {"README.md": b"# Nothing yet"}),
    Repo("dataset", "bad/card", {**FILES, "README.md": b"---\n: [\n---\n"}),
    Repo("dataset", "has/script", {**FILES, "script.py": b"", "README.md": b""}),
    Repo("dataset", "broken/page", FILES, fault="not_json"),
    Repo("dataset", "broken/short", FILES, fault="truncated"),
    Repo("dataset", "broken/endless", FILES, fault="endless"),
    Repo("dataset", "later/slow", {"a.csv": b"a\n1\n"}, where="/tree/", seconds=600),
    Repo("dataset", "later/500", {"a.csv": b"a\n1\n"}, where="/tree/", status=500),
    Repo("dataset", "later/429", {"a.csv": b"a\n1\n"}, where="/tree/", status=429),
    Repo("dataset", "later/reset", {"a.csv": b"a\n1\n"}, where="/tree/", fault="reset"),
]
MIB = 1024 * 1024
LONG_ROW = b'{"question": "' + b"x" * 5 * MIB + b'"}\n'
WITHOUT_CARD = {
    "csv": {"train.csv": b"question,answer\nwhy,so\n"},
    "tsv": {"train.tsv": b"question\tanswer\nwhy\tso\n"},
    "header": {"test.csv": b"x\n1\n", "train.csv": b"question,answer\n"},
    "separator": {
        "README.md": b"---\nconfigs:\n- config_name: default\n  data_files: a.csv\n"
        b"  sep: ';'\n---\n",
        "a.csv": b"question;answer\nwhy;so\n",
    },
    "quoted": {"a.csv": b'question,"answer"\n"why\nnot",so\n'},
    "large": {"a.csv": b"question,answer\n" + b"why,so\n" * MIB},
    "jsonl": {"a.jsonl": b'{"question": 1}\n{"question": 2, "answer": null}\n'},
    "jsonl-large": {"a.jsonl": b'{"question": 1, "answer": 2}\n' * 300_000},
    "list": {"a.json": b'[{"question": 1}, {"answer": [1, "]"]}]'},
    "field": {
        "README.md": b"---\nconfigs:\n- config_name: default\n  data_files: a.json\n"
        b"  field: rows\n---\n",
        "a.json": b'{"rows": [{"question": 1, "answer": 2}]}',
    },
    "gz": {"a.csv.gz": gzip.compress(b"question,answer\nwhy,so\n")},
    "bomb": {"a.jsonl.gz": gzip.compress(b'{"question": 1, "answer": 2}\n' * 2_000_000)},
    "bz2": {"a.jsonl.bz2": bz2.compress(b'{"question": 1, "answer": 2}\n')},
    "parquet": {"data/train-0.parquet": table()},
    "linked": {"a.csv": b"question,answer\nwhy,so\n"},
    "many": {f"data/train-{n}.jsonl": b'{"question": 1, "answer": 2}' for n in range(20)},
}
UNTOLD = {
    "text-archive": ({"a.csv.zip": b"PK"}, ""),
    "empty": ({"a.csv": b""}, "a.csv is empty"),
    "image": ({"train/a.png": b"no image"}, "has no column names"),
    "not-json": ({"a.jsonl": b"hello\n"}, "cannot be read"),
    "not-parquet": ({"a.parquet": b"hello"}, "is not a Parquet file"),
    "not-gz": ({"a.csv.gz": b"hello"}, "cannot be"),
    "no-line": ({"a.csv": b"x" * 5 * MIB}, "the first line of a.csv is longer than"),
    "long-row": ({"a.jsonl": LONG_ROW}, "the first row of a.jsonl is longer than"),
    "empty-rows": ({"a.jsonl": b"{}\n"}, "has no columns"),
}
REPOS += [
    *(Repo("dataset", f"plain/{n}", f, linked=n == "linked") for n, f in WITHOUT_CARD.items()),
    *(Repo("dataset", f"untold/{n}", f) for n, (f, _) in UNTOLD.items()),
    Repo("dataset", "plain/endless", WITHOUT_CARD["csv"], fault="endless", where="/resolve/"),
    Repo("dataset", "plain/private", WITHOUT_CARD["csv"], private=True, readers=(TOKEN,)),
]
NOT_TO_BE_HAD = [
    "broken/page",
    "broken/short",
    "broken/endless",
    "later/slow",
    "later/500",
    "later/429",
    "later/reset",
]


class Studio:
    """Calls to the service, and the hub that it asks."""

    def __init__(self, folder: Path, asked: TestHub) -> None:
        self.datasets = domains.datasets(settings_in(folder, "test", peer_wait_seconds=20.0))
        self.hub = asked

    async def add(self, name: str) -> DatasetMetadata:
        request = AddDatasetRequest(type="huggingface", huggingface_name=name)
        return (await self.datasets(lambda s: s.AddDataset, request)).dataset

    async def names(self) -> set[str]:
        listed = await self.datasets(lambda s: s.ListDatasets, ListDatasetsRequest())
        return {dataset.name for dataset in listed.datasets}

    async def forget(self) -> None:
        """Empties the list, and the record of what the hub was asked."""
        listed = await self.datasets(lambda s: s.ListDatasets, ListDatasetsRequest())
        for one in listed.datasets:
            await self.datasets(lambda s: s.RemoveDataset, RemoveDatasetRequest(id=one.id))
        self.hub.asked.clear()


@pytest.fixture(scope="module")
def served() -> Iterator[TestHub]:
    with hub(*REPOS, tokens=(TOKEN,)) as served:
        yield served


@pytest.fixture(scope="module")
@starts_processes
def process(served: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    folder = tmp_path_factory.mktemp("hub")
    environment = {
        **served.environment(str(folder / "hf")),
        "HUGGINGFACE_ACCESS_TOKEN": TOKEN,
        "FTS_HUB_SECONDS": "4",
        "FTS_LOG_LEVEL": "debug",
    }
    with ServiceProcess(folder, "datasets", **environment) as process:
        yield process


@pytest.fixture
async def studio(process: ServiceProcess, served: TestHub) -> AsyncIterator[Studio]:
    await process.serving()
    studio = Studio(process.settings.home, served)
    while "good/csv" not in await studio.names():
        # The import of the hub's libraries takes some of the first question's time.
        with suppress(errors.Unavailable):
            await studio.add("good/csv")
    await studio.forget()
    yield studio
    await studio.datasets.close()
    log = process.log.read_text()
    assert TOKEN not in log
    assert all(line.startswith("{") for line in log.splitlines())


@pytest.mark.parametrize("name", ["good/parquet", "gated/open", "private/open", "large/files"])
async def test_token_gives_access_to_gated_repositories(studio: Studio, name: str) -> None:
    added = await studio.add(f" {name} ")
    assert (added.type, added.name, added.huggingface_name) == ("huggingface", name, name)
    assert added.commit == COMMIT
    assert json.loads(added.features) == ["question", "answer"]
    with pytest.raises(errors.AlreadyExists):
        await studio.add(name)
    asked = studio.hub.asked_about(name)
    assert {one.authorization for one in asked} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("name", [*WITHOUT_CARD, "private"])
async def test_columns_come_from_the_first_file_without_a_card(studio: Studio, name: str) -> None:
    added = await studio.add(f"plain/{name}")
    assert json.loads(added.features) == ["question", "answer"]


async def test_file_is_fetched_only_at_its_beginning(studio: Studio) -> None:
    # The hub would go on sending for ever.
    with pytest.raises(errors.InvalidArgument, match=r"the first line of train\.csv is longer"):
        await studio.add("plain/endless")
    assert "plain/endless" not in await studio.names()


@pytest.mark.parametrize("name", UNTOLD)
async def test_unreadable_columns_are_refused_with_the_reason(studio: Studio, name: str) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.add(f"untold/{name}")
    assert f"untold/{name}" in refused.value.message
    assert UNTOLD[name][1] in refused.value.message
    (violation,) = refused.value.violations
    assert violation.field == "huggingface_name"
    assert f"untold/{name}" not in await studio.names()


async def test_rows_are_not_loaded(studio: Studio) -> None:
    await studio.add("good/csv")
    asked = studio.hub.asked_about("good/csv")
    assert asked
    assert not [one for one in asked if one.path.endswith("train.csv")]


async def test_token_is_sent_to_the_hub_alone(studio: Studio) -> None:
    await studio.add("large/files")
    assert {one.authorization for one in studio.hub.asked_of_storage} == {""}


@pytest.mark.parametrize("name", [*TROUBLES, "gated/card", *NOT_TO_BE_HAD])
async def test_refused_hub_dataset_has_its_reason(studio: Studio, name: str) -> None:
    known = {"gated/card": TROUBLES["gated/403"]}
    kind, reason, text = {**TROUBLES, **known}.get(name, TROUBLES["broken/reset"])
    if kind is errors.NotFound:
        kind, reason = errors.InvalidArgument, "INVALID_ARGUMENT"
    with pytest.raises(kind) as refused:
        await studio.add(name)
    assert type(refused.value) is kind
    assert refused.value.code_reason == reason
    assert repr(name) in refused.value.message
    assert text in refused.value.message
    assert TOKEN not in repr(vars(refused.value))
    if kind is errors.InvalidArgument:
        (violation,) = refused.value.violations
        assert (violation.field, violation.rule) == ("huggingface_name", rules.ON_HUB.id)
    assert name not in await studio.names()


@pytest.mark.parametrize(
    "name", ["not a name", "a/b/c", "buckets/a/b", "../up", "csv", "buckets/a"]
)
async def test_other_repositories_are_not_taken_for_a_dataset(studio: Studio, name: str) -> None:
    with pytest.raises(errors.InvalidArgument, match="is not a dataset on the hub") as refused:
        await studio.add(name)
    assert refused.value.violations[0].rule == rules.ON_HUB.id


@pytest.mark.parametrize("name", ["no/files", "bad/card", "has/script"])
async def test_unreadable_dataset_is_named(studio: Studio, name: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=f"cannot read '{name}'") as refused:
        await studio.add(name)
    (violation,) = refused.value.violations
    assert (violation.field, violation.rule) == ("huggingface_name", rules.HUB_READABLE.id)


async def test_other_calls_are_answered_while_the_hub_hangs(studio: Studio) -> None:
    await studio.add("good/csv")
    adding = asyncio.create_task(studio.add("slow/start"))
    await asyncio.to_thread(studio.hub.wait_for, "slow/start")
    assert "good/csv" in await studio.names()
    assert not adding.done()
    with pytest.raises(errors.Unavailable):
        await adding
