"""Column names of local data, and what is said about data that has none."""

import csv
import json
import os
from pathlib import Path

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.datasets.features import CHECKED_ROWS, DataFault, read

NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0\ufeff"), min_size=1)
    .filter(str.strip),
    min_size=1,
    max_size=6,
    unique=True,
)  # fmt: skip


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=NAMES)
def test_columns_are_found_in_every_format(tmp_path: Path, names: list[str]) -> None:
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, names])
    row = dict.fromkeys(names, 1)
    (tmp_path / "rows.json").write_text(json.dumps([row, row]), encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text(f"{json.dumps(row)}\n\n{json.dumps(row)}\n")
    for suffix in ("csv", "json", "jsonl"):
        assert read(tmp_path / f"rows.{suffix}") == names


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "line 1: the file is empty or has no header row"),
        ("a.csv", "\n1,2\n", "line 1: the file is empty or has no header row"),
        ("a.csv", "a,b\n1,2\n3\n", "line 3: 1 values for 2 columns"),
        ("a.csv", 'a,b\n1,"2\n', "line 2: unexpected end of data"),
        ("a.csv", "a,b,a\n", "column names appear more than once: a"),
        ("a.json", "", "line 1: the file is empty"),
        ("a.json", '[{"a": 1},\n{"a"}]', "line 2: not JSON"),
        ("a.json", '{"a": 1}', "line 1: the file must contain a JSON list"),
        ("a.json", "[]", "line 1: the file must contain a JSON list"),
        ("a.json", '[{"a": 1}, 2]', "item 2: must be an object"),
        ("a.json", '[{"a": 1, "a": 2}]', "column names appear more than once: a"),
        ("a.json", "[" * 100_000, "item 1: lists and objects are nested more than 100 deep"),
        ("a.json", f'[{{"a": {"[" * 100 + "]" * 100}}}]', "nested more than 100 deep"),
        ("a.json", f'[{{"a": {"9" * 5_000}}}]', "a number has 5000 digits"),
        ("a.jsonl", f"[{'9' * 5_000}]", "line 1: a number has 5000 digits"),
        ("a.jsonl", '{"a": 1}\n\n{"b": NaN}\n', "line 3: NaN is not a number in JSON: write null"),
        ("a.jsonl", '{"a": "\\udc00"}\n', r"line 1: .udc00 is half of a surrogate pair"),
        ("a.jsonl", '[{"a": 1}]\n', "line 1: must be an object, but is a list: .* project_json"),
        # Must not take a time that grows with the square of the number of columns.
        ("a.csv", ",".join(["b", *map(str, range(100_000)), "b"]), "appear more than once: b"),
        ("a.jsonl", json.dumps({"k" * 70_000: 1}), "column names have 70000 characters"),
        ("a.jsonl", "\n\n", "line 1: the file is empty"),
        ("a.jsonl", '{"a": 1}\n{', "line 2: not JSON"),
        ("a.jsonl", "{}\n", "line 1: must be an object with at least one key"),
    ],
)
def test_fault_has_its_place_and_reason(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataFault, match=message):
        read(tmp_path / name)


def test_text_must_be_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,\xff\n")
    with pytest.raises(DataFault, match=r"line 1: not UTF-8 text: byte 2 .* Windows-1252 .*'a,ÿ'"):
        read(tmp_path / "a.csv")


def test_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfa,b\n")
    assert read(tmp_path / "a.csv") == ["a", "b"]


def test_columns_are_read_from_the_first_rows_only(tmp_path: Path) -> None:
    rows = ['{"a": 1}'] * CHECKED_ROWS + ["not JSON"]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    assert read(tmp_path / "a.jsonl") == ["a"]


def test_directory_of_data_files_prefers_the_training_part(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "extra.csv").write_text("x\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text('{"a": 1, "b": 2}\n')
    assert read(tmp_path) == ["a", "b"]


def test_files_that_never_end_a_read_are_skipped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "dataset_info.json")
    os.mkfifo(tmp_path / "train.csv")
    (tmp_path / "rows.csv").write_text("a,b\n")
    assert read(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("info", ["[1]", '{"features": 5}', '{"features": []}'])
def test_info_without_columns_is_skipped(tmp_path: Path, info: str) -> None:
    (tmp_path / "dataset_info.json").write_text(info)
    (tmp_path / "rows.csv").write_text("a,b\n")
    assert read(tmp_path) == ["a", "b"]


def test_empty_directory_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DataFault, match="no dataset and no"):
        read(tmp_path)


def test_saved_dataset_is_read(tmp_path: Path) -> None:
    from datasets import Dataset, DatasetDict

    rows = Dataset.from_dict({"question": ["q"], "answer": ["a"]})
    rows.save_to_disk(tmp_path / "one")
    DatasetDict(train=rows, test=rows).save_to_disk(tmp_path / "many")
    rows.to_parquet(tmp_path / "file.parquet")
    for name in ("one", "many"):
        assert read(tmp_path / name) == ["question", "answer"]
    assert read(tmp_path / "file.parquet") == ["question", "answer"]


def test_arrow_files_of_either_form_name_their_columns(tmp_path: Path) -> None:
    table = pyarrow.table({"a": ["x"], "b": [1]})
    for name, opened in (("s", pyarrow.ipc.new_stream), ("f", pyarrow.ipc.new_file)):
        (tmp_path / name).mkdir()
        with opened(tmp_path / name / "train-0.arrow", table.schema) as writer:
            writer.write_table(table)
        assert read(tmp_path / name) == ["a", "b"]
    (tmp_path / "f" / "train-0.arrow").write_bytes(b"nothing of the kind")
    with pytest.raises(DataFault, match=r"train-0\.arrow is not an Arrow file"):
        read(tmp_path / "f")


def test_broken_parquet_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(DataFault, match=r"train\.parquet"):
        read(tmp_path)


def test_objects_may_lack_keys_that_others_have(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n' * CHECKED_ROWS + '{"b": 1, "a": 2}\n{"c"')
    assert read(tmp_path / "a.jsonl") == ["a", "b"]
