"""Folders and files whose names look like patterns or addresses, beside others that they match."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest
from datasets import Dataset, DatasetDict

from ft.api import DatasetMetadata
from rows import reading
from rows.errors import DataError

PROJECTS = ("a [1] ü*", "b?c", "h#%20", "{x}", "p::q")
PATTERNS = ("d[1]", "d*", "d?", "d::e")
NAMES = (*PATTERNS, "d #%ü", "{a,b}", "d!", "d&e=f", "~d")


def lines(file: Path, *texts: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps({"a": one}) + "\n" for one in texts))


@pytest.fixture(params=["plain", *PROJECTS])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project with data that patterns match: in `d1`, and in a project beside it."""
    for place in (tmp_path / request.param, tmp_path / "a 1 üx", tmp_path / "bxc"):
        lines(place / "d1/train.jsonl", "wrong")
        lines(place / "data1.jsonl", "wrong")
    return tmp_path / request.param


def read(project: Path, location: str, type_: str = "project") -> dict[str, list[str]]:
    dataset = DatasetMetadata(type=type_, name="mine", location=location)
    return {name: list(rows["a"]) for name, rows in reading.load(dataset, project, None).items()}


@pytest.mark.parametrize("name", NAMES)
def test_folder_with_an_odd_name_is_read(project: Path, name: str) -> None:
    lines(project / name / "train.jsonl", "mine", "too")
    lines(project / name / "test.jsonl", "held out")
    assert read(project, name) == {"train": ["mine", "too"], "test": ["held out"]}


@pytest.mark.parametrize("name", NAMES)
def test_files_within_folders_are_found_or_missed_in_words(project: Path, name: str) -> None:
    lines(project / "folder" / name / "train[1]*.jsonl", "mine")
    try:
        assert read(project, "folder") == {"train": ["mine"]}
    except DataError:
        assert "::" in name


@pytest.mark.parametrize("name", ["data[1].jsonl", "d*ta1.jsonl", "data?.jsonl", "a::b #%.jsonl"])
def test_file_with_an_odd_name_is_read(project: Path, name: str) -> None:
    lines(project / name, "mine")
    assert read(project, name, "project_jsonl") == {"train": ["mine"]}


def described(folder: Path) -> None:
    lines(folder / "some/part.jsonl", "mine")
    about = (
        "configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: some/*.jsonl"
    )
    (folder / "README.md").write_text(f"---\n{about}\n---\n")


def shards(folder: Path) -> None:
    folder.mkdir()
    table = pyarrow.table({"a": ["mine"]})
    with pyarrow.ipc.new_stream(folder / "train-0.arrow", table.schema) as stream:
        stream.write_table(table)


@pytest.mark.parametrize("name", [*PATTERNS, "d #%ü"])
@pytest.mark.parametrize("make", [described, shards])
def test_library_folder_with_an_odd_name_is_read(
    tmp_path: Path, make: Callable[[Path], None], name: str
) -> None:
    lines(tmp_path / "d1/train.jsonl", "wrong")
    make(tmp_path / name)
    assert read(tmp_path, name) == {"train": ["mine"]}
    assert read(tmp_path, name) == {"train": ["mine"]}


@pytest.mark.starts_processes
def test_links_in_an_odd_folder_are_followed(tmp_path: Path) -> None:
    described(tmp_path / "real")
    (tmp_path / "d[1]").mkdir()
    (tmp_path / "d[1]/some").symlink_to(tmp_path / "real/some")
    (tmp_path / "d[1]/README.md").symlink_to(tmp_path / "real/README.md")
    script = (
        "import sys, tempfile; from pathlib import Path; from rows import reading; "
        "from ft.api import DatasetMetadata; "
        "data = DatasetMetadata(type='project', name='m', location='d[1]'); "
        "print(list(reading.load(data, Path(sys.argv[1]), None)['train']['a']))"
    )
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": ":".join(sys.path), "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "['mine']", done.stderr[-2000:]
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_saved_data_in_an_odd_folder_are_read(project: Path, name: str) -> None:
    rows = DatasetDict({"train": Dataset.from_dict({"a": ["mine"]})})
    rows.save_to_disk(str(project.parent / "saved"))
    (project.parent / "saved").rename(project / name)
    assert read(project, name) == {"train": ["mine"]}
