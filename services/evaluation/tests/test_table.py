"""The table of results of an evaluation, read some rows at a time."""

import csv
import tracemalloc
from pathlib import Path

import pytest

from chassis.rpc.errors import FailedPrecondition, InvalidArgument
from ft.job_protocol.evaluation_table import TABLE_FILE
from ft.proto.fine_tuning_studio_jobs_pb2 import EvaluationRow
from services.evaluation import table

HEADER = ["model_input", "expected_output", "model_output", "exact_match", "latency"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / TABLE_FILE


def write(file: Path, rows: list[list[str]], *more: str) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([[*HEADER, *more], *rows])


def read(file: Path, offset: int = 0) -> list[EvaluationRow]:
    return [row for answer in table.answers(file, offset) for row in answer.rows]


def test_rows_have_texts_scores_and_features(file: Path) -> None:
    row = ['an "input",\n ä', " yes", "no", "0", "0.25", "x", "nan", "red"]
    write(file, [row, row], "remark", "odd", "colour_$useradded$")
    first, second = read(file)
    assert (first.number, second.number) == (0, 1)
    assert (first.input, first.expected, first.output) == (row[0], " yes", "no")
    # What is no number is no score.
    assert dict(first.scores) == {"exact_match": 0, "latency": 0.25}
    assert dict(first.features) == {"colour": "red"}


def test_rows_from_an_offset_on(file: Path) -> None:
    write(file, [[str(n), "e", "o", "1", "1"] for n in range(5)])
    assert [row.input for row in read(file, 3)] == ["3", "4"]
    assert read(file, 5) == []
    with pytest.raises(InvalidArgument, match="offset: must not be negative, not -1"):
        read(file, -1)


def test_answers_are_limited_in_size_and_complete_together(file: Path) -> None:
    sizes = [1, 30_000, 40_000, 200_000, 5, 5]
    write(file, [["i" * size, "e", "o", "1", "1"] for size in sizes])
    answers = list(table.answers(file, 0))
    assert [[len(row.input) for row in answer.rows] for answer in answers] == [
        [1, 30_000],
        [40_000],
        [200_000],
        [5, 5],
    ]


def test_long_table_takes_little_memory(file: Path) -> None:
    write(file, [["i" * 1000, "e", "o", "1", "1"]] * 20_000)
    tracemalloc.start()
    count = sum(len(answer.rows) for answer in table.answers(file, 0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 4_000_000 < file.stat().st_size


def test_missing_table_is_reported(file: Path) -> None:
    with pytest.raises(FailedPrecondition, match="has no table of results") as refused:
        read(file)
    assert [(v.field, v.rule) for v in refused.value.violations] == [("job_id", "FT-703")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no column model_input, expected_output, model_output"),
        ("model_input,model_output\n1,2\n", "no column expected_output"),
        (f"{','.join(HEADER)}\n" + "x" * 1_100_000, "more than 1000000 characters"),
        (f"{','.join(HEADER)}\n" + '"' + "line\n" * 250_000, "more than 1000000 characters"),
    ],
)
def test_other_file_is_no_table_of_results(file: Path, content: str, said: str) -> None:
    file.write_text(content)
    with pytest.raises(FailedPrecondition, match=said):
        read(file)


def test_truncated_row_has_its_remaining_columns(file: Path) -> None:
    file.write_bytes(f"{','.join(HEADER)}\ni,\xff".encode("latin-1"))
    [row] = read(file)
    assert (row.input, row.expected, row.output, dict(row.scores)) == ("i", "\ufffd", "", {})
