"""Folders and files whose names look like patterns or addresses, beside others that they match."""

import json
from pathlib import Path

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
def test_a_folder_is_the_one_of_that_name(project: Path, name: str) -> None:
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
def test_a_file_is_the_one_of_that_name(project: Path, name: str) -> None:
    lines(project / name, "mine")
    assert read(project, name, "project_jsonl") == {"train": ["mine"]}


@pytest.mark.parametrize("name", PATTERNS)
def test_what_the_library_would_take_for_a_pattern_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "train.txt").write_text("mine")
    lines(tmp_path / "d1/train.jsonl", "wrong")
    with pytest.raises(DataError, match=r"in its path for a pattern.*: rename it"):
        read(tmp_path, name)


@pytest.mark.parametrize("name", NAMES)
def test_saved_data_are_those_of_the_folder(project: Path, name: str) -> None:
    rows = DatasetDict({"train": Dataset.from_dict({"a": ["mine"]})})
    rows.save_to_disk(str(project.parent / "saved"))
    (project.parent / "saved").rename(project / name)
    if "::" in str(project / name):
        with pytest.raises(DataError, match=r"'::' in its path .*: rename it"):
            read(project, name)
    else:
        assert read(project, name) == {"train": ["mine"]}
