"""Files of every kind, as the reader reads or refuses them."""

import csv
import gzip
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from ft.api import DatasetMetadata
from rows import reading, values
from rows.cache import cached_rows
from rows.cache.cache_folder import ABANDONED_SECONDS, CacheFolder
from rows.errors import DataError
from rows.files import formats
from rows.files.reader import first_columns

TYPES = {".csv": "project_csv", ".tsv": "project_csv", ".json": "project_json"}


def type_of(name: str) -> str:
    return str(formats.type_of(name))


def read(folder: Path, name: str, content: bytes | str | None = None) -> reading.LoadedDataset:
    if content is not None:
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)
    return reading.read(DatasetMetadata(type=type_of(name), name="d", location=name), folder, None)


def texts(loaded: reading.LoadedDataset) -> list[list[str]]:
    rows = loaded.splits["train"]
    return [[values.as_text(value) for value in row.values()] for row in rows]


TABLE = "a,b\n00501,é\n1.10,x\n"
WRITTEN = [["00501", "é"], ["1.10", "x"]]


def packed(content: bytes) -> bytes:
    """The content as gzip has it: without the time, which would be in the names of tests."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("d.csv", TABLE, ""),
        ("d.CSV", TABLE, ""),
        ("d.csv", b"\xef\xbb\xbf" + TABLE.encode(), ""),
        ("d.csv", TABLE.replace("\n", "\r\n"), ""),
        ("d.csv", TABLE.replace("\n", "\r"), ""),
        ("d.csv", TABLE.rstrip(), ""),
        ("d.csv.gz", packed(TABLE.encode()), ""),
        ("d.tsv", TABLE.replace(",", "\t"), ""),
        ("d.TSV.GZ", packed(TABLE.replace(",", "\t").encode()), ""),
        ("d.csv", TABLE.replace(",", ";"), "separated by semicolons"),
        ("d.csv", TABLE.replace(",", "\t"), "separated by tabs"),
        ("d.tsv", TABLE, "separated by commas"),
        ("d.csv", "sep=;\n" + TABLE.replace(",", ";"), "separated by semicolons"),
        ("d.csv", TABLE.encode("utf-16"), "UTF-16"),
        ("d.csv", b"\xfe\xff" + TABLE.encode("utf-16-be"), "UTF-16"),
        ("d.jsonl", '{"a": "00501", "b": "é"}\r\n\n{"a": 1.10, "b": "x"}', ""),
        ("d.jsonl.gz", packed(b'{"a": "00501", "b": "\\u00e9"}\n{"a": 1.10, "b": "x"}'), ""),
        ("d.json", ' [{"a": "00501", "b": "é"},\n{"a": 1.10, "b": "x"}]\n', ""),
        ("d.json", '[{"a": "00501", "b": "é"},{"a": 1.10, "b": "x"}]'.encode("utf-16"), "UTF-16"),
        ("d.json", '{"a": "00501", "b": "é"}\n{"a": 1.10, "b": "x"}', ""),
    ],
)
def test_files_of_every_kind_are_read(
    tmp_path: Path, name: str, content: bytes | str, told: str
) -> None:
    loaded = read(tmp_path, name, content)

    assert texts(loaded) == WRITTEN
    assert len(loaded.source.notices) == (1 if told else 0)
    assert told in " ".join(loaded.source.notices)
    form = formats.of(type_of(name), name)
    assert form is not None
    looked = first_columns(tmp_path / name, form, 100, 2**26)
    assert looked.names == ["a", "b"]
    assert [f"{name}: {one}" for one in looked.notices] == loaded.source.notices


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("d.csv", "a,b\nx,é\n".encode("latin-1"), "line 2: not UTF-8 .*0xe9.*Windows-1252"),
        ("d.csv", b"a,b\n" + b"x,y\n" * 9000 + b"\xffx,y\n", "line 9002: not UTF-8"),
        ("d.csv", TABLE.encode("utf-16-le"), "likely UTF-16 without its mark"),
        ("d.csv", "a,b\nx\0,y\n", "line 2: a NUL character after 'x': the file is damaged"),
        ("d.jsonl", '{"a": 1}\n{"b\\u0000": 1}', r"line 2: column name 'b\\x00' has a NUL"),
        ("d.json", '[{"\\u0000": 1}]', r"item 1: column name '\\x00' has a NUL"),
        ("d.csv", b"PK\x03\x04rest", "ZIP archive or an Excel workbook: save the sheet as CSV"),
        ("d.csv", packed(b"a,b\n1,2\n"), "rename it to end in .gz"),
        ("d.csv.gz", TABLE, "not a gzip file"),
        ("d.csv.gz", packed(TABLE.encode())[:-9], "truncated"),
        # Long rows: how many there are takes most of the time.
        ("d.csv.gz", lambda: packed(b"a,b\n" + (b"x" * 9_998 + b",\n") * 7000), "200 times its"),
        ("d.csv", 'a,b\n"x"y,z\n', "line 2: .*write a quotation mark within a quoted cell twice"),
        (
            "d.csv",
            lambda: "a,b\n1,2\n" + '"' + "x\n" * 9_000_000,
            "line 3: a row has more than 16,777,216",
        ),
        ("d.jsonl", '{"a": 1}\n{"a": Infinity}', "line 2: Infinity is not a number in JSON"),
        ("d.jsonl", '{"a": 1}\n{"a": {"b": -Infinity}}', "line 2: -Infinity is not a number"),
        ("d.jsonl", '{"a": 1}\n{"a": {"b": 1, "b": 2}}', "line 2: .* more than once: b"),
        ("d.jsonl", '{"a": 1}\n{"a": 1} x', "line 2: not JSON: Extra data, at 'x'"),
        ("d.jsonl", '{"a": 1}\n5', "line 2: must be an object .* but is 5"),
        ("d.json", '[{"a": 1},\n 5]', r"item 2: must be an object .*, but is 5 \(line 2\)"),
        ("d.json", '[{"a": 1},\n {"a": tru}]', "line 2: not JSON: Expecting value, at 'tru"),
        ("d.json", '[{"a": 1}]\n[]', "line 2: not JSON: there is text after the list"),
        ("d.json", '[{"a": 1}', "line 1: not JSON: ',' is expected"),
        (
            "d.json",
            lambda: f'[{{"a": "{"x" * 17_000_000}"}}]',
            "a row has more than 16,777,216 characters",
        ),
    ],
)
def test_unreadable_file_is_refused_with_line_and_remedy(
    tmp_path: Path, name: str, content: bytes | str | Callable[[], bytes | str], said: str
) -> None:
    made = content() if callable(content) else content
    with pytest.raises(DataError, match=said):
        read(tmp_path, name, made)


TIMES = ["2024-01-05", "2024-01-05T13:30:00"]


def test_parquet_is_written_exactly_or_refused_by_name(tmp_path: Path) -> None:
    table = pyarrow.table(
        {
            "text": ["00501", None],
            "whole": pyarrow.array([9007199254740993, 1], pyarrow.int64()),
            "share": [0.1, 5.0],
            "small": pyarrow.array([0.1, 2.5], pyarrow.float32()),
            "price": [Decimal("1.10"), Decimal("20.00")],
            "day": [date(2024, 1, 5), None],
            "time": [datetime(2024, 1, 5, 13, 30), None],
            "kind": pyarrow.array(["x", "y"]).dictionary_encode(),
            "told": [[], [{"role": "user"}]],
            "is": [True, None],
        }
    )
    parquet.write_table(table, tmp_path / "d.parquet")

    loaded = read(tmp_path, "d.parquet")

    assert texts(loaded) == [
        ["00501", "9007199254740993", "0.1", "0.1", "1.10", *TIMES, "x", "[]", "true"],
        ["", "1", "5.0", "2.5", "20.00", "", "", "y", '[{"role": "user"}]', ""],
    ]
    assert ["Column day" in one or "Column time" in one for one in loaded.source.notices] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pyarrow.array([b"x"]), "column a has the type binary"),
        (pyarrow.array([0.5, float("nan")]), "row 2, column a: nan is not a JSON number"),
    ],
)
def test_parquet_types_without_a_text_form_are_refused(
    tmp_path: Path, column: Any, said: str
) -> None:
    parquet.write_table(pyarrow.table({"a": column}), tmp_path / "d.parquet")
    with pytest.raises(DataError, match=said):
        read(tmp_path, "d.parquet")


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
numbers = st.one_of(
    st.integers(), st.integers(10**15, 10**40), st.floats(allow_nan=False, allow_infinity=False)
)
odd = st.sampled_from(["00501", "1.10", "TRUE", "2024-01-05", "null", "NaN", "1e5", " ", "'", '"'])
plain = st.one_of(words, odd, numbers, st.booleans(), st.none())
nested = st.recursive(
    plain,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=6,
)
names = st.lists(words.filter(str.strip), min_size=1, max_size=4, unique=True)


@settings(deadline=None, max_examples=60)
@given(st.data(), names, st.sampled_from(["\n", "\r\n"]))
def test_csv_cells_are_exactly_those_written(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, header: list[str], end: str
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    row = st.lists(st.one_of(words, odd), min_size=len(header), max_size=len(header))
    table = data.draw(st.lists(row, min_size=1, max_size=6))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator=end, quoting=data.draw(st.sampled_from([0, 1])))
    writer.writerows([["x" + name for name in header], *table])
    content = file.getvalue()

    loaded = read(folder, "d.csv", content)

    assert texts(loaded) == table
    assert looked_at(folder, "d.csv") == loaded.splits["train"].column_names


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(st.lists(st.dictionaries(names.map("".join), nested, min_size=1), min_size=1, max_size=6))
def test_json_values_are_exactly_those_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("json")
    lines = [json.dumps(row) for row in rows]
    one = read(folder, "d.json", json.dumps(rows, indent=1))
    many = read(folder, "d.jsonl", "\n".join(lines))

    for loaded, name in ((one, "d.json"), (many, "d.jsonl")):
        assert looked_at(folder, name) == loaded.splits["train"].column_names
        for found, written in zip(loaded.splits["train"], rows, strict=True):
            assert {name: found[name] for name in written} == written
            for name, value in written.items():
                assert values.as_text(found[name]) == rendered(value)
            assert all(found[name] is None for name in found.keys() - written.keys())


def looked_at(folder: Path, name: str) -> list[str]:
    """The columns that registration finds."""
    form = formats.of(type_of(name), name)
    assert form is not None
    return first_columns(folder / name, form, 100, 2**26).names


def rendered(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


@pytest.mark.starts_processes
def test_memory_for_reading_is_bounded(tmp_path: Path) -> None:
    """Files of 200 MB within 100 MB beside what the libraries take."""
    with (tmp_path / "d.jsonl").open("w") as file:
        for number in range(100_000):
            file.write(json.dumps({"a": "x" * 2000, f"late{number // 50_000}": number}) + "\n")
    with (tmp_path / "d.json").open("w") as file:
        file.write("[" + ",".join([json.dumps({"a": "x" * 2000})] * 100_000) + "]")
    script = """
import resource, sys
from pathlib import Path
from ft.api import DatasetMetadata
from rows import reading
used = int(next(l for l in open("/proc/self/status") if l.startswith("VmData")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + 100 * 1024**2,) * 2)
for kind in ("jsonl", "json"):
    data = DatasetMetadata(type=f"project_{kind}", name="d", location=f"d.{kind}")
    print(len(reading.load(data, Path(sys.argv[1]), None)["train"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path), "ARROW_DEFAULT_MEMORY_POOL": "system"},
    )
    assert done.stdout.split() == ["100000", "100000"], done.stderr[-2000:]


def test_concurrent_readers_get_the_same_and_leave_one_entry(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,b\n" + "x,y\n" * 20_000)
    found: list[int] = []

    def work() -> None:
        found.append(len(read(tmp_path, "d.csv").splits["train"]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [20_000] * 4
    assert len(list((tmp_path / ".fts-rows").glob("*.arrow"))) == 1
    assert not list((tmp_path / ".fts-rows").glob(".writing*"))


def test_fault_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        read(tmp_path, "d.csv", "a,b\n1,2\n3\n")
    left = [path.name for path in (tmp_path / ".fts-rows").iterdir() if path.is_file()]
    assert left == [".gitignore"]


def test_damaged_entry_is_made_again(tmp_path: Path) -> None:
    read(tmp_path, "d.csv", TABLE)
    [entry] = (tmp_path / ".fts-rows").glob("*.arrow")
    entry.write_bytes(b"nothing of the kind")
    assert texts(read(tmp_path, "d.csv")) == WRITTEN


def test_rows_are_read_without_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".fts-rows").write_text("a file in the place of the folder")
    assert texts(read(tmp_path, "d.csv", TABLE)) == WRITTEN


def test_rows_are_read_in_a_full_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = cached_rows.arrow_file.write

    def full(reader: Any, target: Path) -> None:
        if target.is_relative_to(tmp_path):
            raise OSError(28, "No space left on device")
        write(reader, target)

    monkeypatch.setattr(cached_rows.arrow_file, "write", full)
    assert texts(read(tmp_path, "d.csv", TABLE)) == WRITTEN
    assert not list((tmp_path / ".fts-rows").glob("*.arrow"))


def test_cache_entry_goes_with_the_content_and_the_dataset(tmp_path: Path) -> None:
    def kept() -> int:
        return len(list((tmp_path / ".fts-rows").glob("*.arrow")))

    running = read(tmp_path, "d.csv", TABLE).splits["train"]
    read(tmp_path, "same.csv", TABLE)
    assert kept() == 1
    read(tmp_path, "d.csv", "a\nother\n")
    assert kept() == 2
    entries = CacheFolder(tmp_path)
    entries.keep_only(["d.csv", "same.csv"])
    assert kept() == 2
    entries.keep_only(["d.csv"])
    assert kept() == 1
    (tmp_path / "d.csv").unlink()
    entries.keep_only(["d.csv"])
    assert kept() == 0
    assert [row["a"] for row in running] == ["00501", "1.10"]


def test_partial_entry_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    entries = CacheFolder(tmp_path)
    entries.prepare()
    left = entries.path(".writing-x")
    left.write_text("half")
    entries.keep_only([])
    assert left.exists()  # Somebody may be writing it.
    old = time.time() - ABANDONED_SECONDS - 1
    os.utime(left, (old, old))
    entries.keep_only([])
    assert not left.exists()


def test_files_of_a_folder_keep_their_splits(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "train-1.jsonl").write_text('{"a": "00501"}\n')
    (tmp_path / "d" / "train-2.jsonl").write_text('{"a": 1.10, "b": "2024-01-05"}\n')
    (tmp_path / "d" / "test.jsonl").write_text('{"a": "x"}\n')

    loaded = reading.read(DatasetMetadata(type="project", name="d", location="d"), tmp_path, None)

    found = {name: [dict(row) for row in rows] for name, rows in loaded.splits.items()}
    assert [values.to_json(row) for row in found["train"]] == [
        '{"a": "00501", "b": null}',
        '{"a": 1.10, "b": "2024-01-05"}',
    ]
    assert found["test"] == [{"a": "x", "b": None}]
    assert loaded.places["train"].name(1) == "train-2.jsonl line 1"
    assert loaded.source.files.keys() == {"train-1.jsonl", "train-2.jsonl", "test.jsonl"}


def test_library_values_are_as_python_writes_them() -> None:
    assert values.as_text(datetime(2024, 1, 5)) == "2024-01-05 00:00:00"  # type: ignore[arg-type]
    assert values.to_json([date(2024, 1, 5)]) == '["2024-01-05"]'


def test_pipe_is_no_file_of_rows(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "d.csv")
    with pytest.raises(DataError, match="not a regular file"):
        read(tmp_path, "d.csv")


def test_folder_read_by_the_library_is_reported(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "train.jsonl").write_text('{"a": "x"}\n')
    (tmp_path / "d" / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files: train.jsonl\n---\n"
    )
    loaded = reading.read(DatasetMetadata(type="project", name="d", location="d"), tmp_path, None)
    assert "read by the library `datasets`" in loaded.source.notices[0]
