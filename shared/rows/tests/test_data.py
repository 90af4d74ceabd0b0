"""Selection of rows to train on and to hold out, and their texts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
from datasets import Dataset, DatasetDict
from hypothesis import given, settings
from hypothesis import strategies as st

from ft.api import DatasetMetadata
from rows import reading, selection, templates, values
from rows.errors import DataError

some_share = st.integers(100, 10_000).map(lambda parts: parts / 10_000)


def numbers(count: int) -> Dataset:
    return Dataset.from_dict({"n": list(range(count))})


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 200), some_share, some_share)
def test_equal_shares_give_equal_disjoint_rows(count: int, fraction: float, share: float) -> None:
    splits = DatasetDict({"train": numbers(count)})
    used = selection.sample(splits["train"], fraction, selection.SPLIT_SEED)
    if int(len(used) * share + 1e-6) == 0:
        with pytest.raises(DataError, match="No rows are left"):
            selection.split(splits, fraction, share)
        return

    train, held_out = selection.split(splits, fraction, share)
    # As the studio sends them back: through a 32-bit float.
    again = selection.split(splits, float(numpy.float32(fraction)), float(numpy.float32(share)))

    assert (train["n"], held_out["n"]) == (again[0]["n"], again[1]["n"])
    assert not set(train["n"]) & set(held_out["n"])
    assert len(train) + len(held_out) == len(used)


@pytest.mark.parametrize("name", ["test", "eval"])
def test_split_of_the_dataset_is_held_out(name: str) -> None:
    own = Dataset.from_dict({"n": [1000, 1001]})

    train, held_out = selection.split(DatasetDict({"train": numbers(10), name: own}), 1.0, 0.5)

    assert len(train) == 10
    assert held_out["n"] == [1000, 1001]


def test_shares_without_training_rows_are_refused_with_the_figures() -> None:
    with pytest.raises(
        DataError, match=r"dataset_fraction 0\.1 and train_test_split 0\.5 of 10 rows"
    ):
        selection.split(DatasetDict({"train": numbers(10)}), 0.1, 0.5)


def test_share_of_one_holds_out_nothing() -> None:
    train, held_out = selection.split(DatasetDict({"train": numbers(10)}), 1.0, 1.0)

    assert (len(train), len(held_out)) == (10, 0)


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("project_csv", "d.csv", "a,b\nNA,\n1,x\n"),
        ("project_json", "d.json", '[{"a": "NA", "b": ""}, {"a": "1", "b": "x"}]'),
        ("project_jsonl", "d.jsonl", '{"a": "NA", "b": ""}\n{"a": "1", "b": "x"}\n'),
    ],
)
def test_files_of_the_project_are_read(
    kind: str, name: str, content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text(content)

    loaded = reading.load(DatasetMetadata(type=kind, name="d", location=name), tmp_path, None)

    assert list(loaded) == ["train"]
    assert loaded["train"].to_list() == [{"a": "NA", "b": ""}, {"a": "1", "b": "x"}]


def test_saved_dataset_is_read(tmp_path: Path) -> None:
    numbers(3).save_to_disk(str(tmp_path / "saved"))

    loaded = reading.load(
        DatasetMetadata(type="project", name="d", location="saved"), tmp_path, None
    )

    assert loaded["train"]["n"] == [0, 1, 2]


def test_missing_file_is_named(tmp_path: Path) -> None:
    dataset = DatasetMetadata(type="project_csv", name="d", location="gone.csv")
    with pytest.raises(DataError, match=r"Dataset d cannot be read: gone\.csv does not exist"):
        reading.load(dataset, tmp_path, None)


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("{a} {c}", "uses column c, but the dataset has only a, b"),
        ("{}", "is malformed: line 1, character 1"),
        ("{a", "is malformed"),
    ],
)
def test_template_that_does_not_fit_is_refused(template: str, wanted: str) -> None:
    with pytest.raises(DataError) as caught:
        templates.check_columns(template, ["a", "b"], "prompt_template")
    assert wanted in str(caught.value)


def test_text_ends_once_and_a_missing_value_is_empty() -> None:
    rows = [{"a": "x", "b": 1}, {"a": None, "b": 2}]

    filled = [templates.training_text(templates.fill("{a}-{b}", row), "<end>") for row in rows]

    assert filled == ["x-1<end>", "-2<end>"]


def test_nested_columns_can_be_reached() -> None:
    row = json.loads('{"answers": {"text": "yes"}}')

    templates.check_columns("{answers[text]}", row, "prompt_template")

    assert templates.fill("{answers[text]}", row) == "yes"


@pytest.mark.parametrize(
    ("format", "number", "text"),
    [
        (".0f", "9007199254740993", "9007199254740993"),
        (",", "9007199254740993.5", "9,007,199,254,740,993.5"),
        (",.2f", "12345678901234567890.55", "12,345,678,901,234,567,890.55"),
        (">25.3f", "-0.12345678901234567890", "                   -0.123"),
        ("e", "1e400", "1e+400"),
        (".2%", "1234567890123456789.5", "123456789012345678950.00%"),
        (".2f", "0.125", f"{0.125:.2f}"),
        (".3f", "1.0005", f"{1.0005:.3f}"),
        ("+.1f", "2.25", f"{2.25:+.1f}"),
        (".30f", "0.1", f"{0.1:.30f}"),
    ],
)
@pytest.mark.parametrize("of", [str, values.NumberLiteral, json.loads])
def test_digits_in_a_format_are_those_of_the_number(
    of: Callable[[str], Any], format: str, number: str, text: str
) -> None:
    if of is json.loads and not number.isdigit():
        return  # the reader of rows makes no floats
    if of is str and format == ",":
        return  # groups of digits are for numbers
    assert templates.fill(f"{{a:{format}}}", {"a": of(number)}) == text


def test_format_does_not_write_thousands_of_digits() -> None:
    with pytest.raises(DataError, match="more than 1000 digits"):
        templates.fill("{a:.2f}", {"a": values.NumberLiteral("1e999999")})


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("project_csv", "a,b\n1,2\n1,2,3\n", "line 3"),
        ("project_jsonl", '{"a": 1}\n{"a": \n', "line 2"),
    ],
)
def test_unreadable_data_says_where(tmp_path: Path, kind: str, content: str, said: str) -> None:
    (tmp_path / "d").write_text(content)
    with pytest.raises(DataError, match=said):
        reading.load(DatasetMetadata(type=kind, location="d", name="d"), tmp_path, None)
