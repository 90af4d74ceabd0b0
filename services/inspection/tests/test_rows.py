"""What is found about rows, and where."""

import csv
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from datasets import Dataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ft.api import DatasetMetadata
from ft.proto.fine_tuning_studio_jobs_pb2 import Finding
from ft.proto.inspection_pb2 import InspectJobRequest, InspectJobResponse
from rows import reading
from services.inspection.tests.conftest import job, rules

Inspect = Callable[[InspectJobRequest], Awaitable[InspectJobResponse]]


def only(response: InspectJobResponse, rule: str) -> Finding:
    [finding] = [one for one in response.findings if one.rule == rule]
    return finding


@pytest.mark.parametrize(
    ("name", "content", "places"),
    [
        ("d.csv", 'a,b\nx,1\n\n"y\nz",2\n ,3\n,4\n', ["line 6", "line 7"]),
        ("d.jsonl", '{"a": "x"}\n\n{"a": ""}\n{"a": null}\n', ["line 3", "line 4"]),
        ("d.json", '[{"a": "x"}, {"a": "y"},\n {"a": " "}, {"a": ""}]', ["item 3", "item 4"]),
    ],
)
async def test_blank_rows_are_reported_with_their_place(
    inspect: Inspect, project: Path, name: str, content: str, places: list[str]
) -> None:
    (project / name).write_text(content)

    response = await inspect(job(name, "Say {a}"))

    finding = only(response, "FT-855")
    assert (finding.severity, finding.rows, list(finding.places)) == ("WARNING", 2, places)
    assert response.data.used_rows == response.data.rows > 2


async def test_rows_of_a_saved_dataset_are_reported_by_number(
    inspect: Inspect, project: Path
) -> None:
    Dataset.from_dict({"a": ["x", "", "y", "z"]}).save_to_disk(str(project / "saved"))

    response = await inspect(job("saved"))

    assert list(only(response, "FT-855").places) == ["row 2"]


async def test_places_are_reported_up_to_a_limit(inspect: Inspect, project: Path) -> None:
    (project / "d.csv").write_text("a,b\nx,1\n" + ",2\n" * 9)

    finding = only(await inspect(job("d.csv")), "FT-855")

    assert (finding.rows, len(finding.places)) == (9, 5)


@pytest.mark.parametrize(
    ("content", "rule", "field", "said"),
    [
        ("", "FT-851", "dataset_id", "cannot be read"),
        ("b\n1\n", "FT-852", "prompt_id", "uses column a, but the dataset has only b"),
        ("a,b\n1,2\n", "FT-853", "dataset_id", "No rows are left"),
        ("a,b\n", "FT-851", "dataset_id", "cannot be read"),
    ],
)
async def test_data_that_no_job_can_use_is_an_error(
    inspect: Inspect, project: Path, content: str, rule: str, field: str, said: str
) -> None:
    (project / "d.csv").write_text(content)

    response = await inspect(job("d.csv", train_test_split=0.5))

    finding = only(response, rule)
    assert (finding.severity, finding.field) == ("ERROR", field)
    assert said in finding.description
    assert not response.HasField("data")
    assert response.memory.gib > 0


async def test_dataset_outside_of_the_project_is_not_read(inspect: Inspect) -> None:
    response = await inspect(job("../outside.csv"))

    assert rules(response)["FT-851"] == "ERROR"
    assert "outside the project" in only(response, "FT-851").description


async def test_lists_and_objects_in_cells_are_reported(inspect: Inspect, project: Path) -> None:
    (project / "d.jsonl").write_text('{"a": ["x"], "b": {"c": "y"}}\n')

    assert rules(await inspect(job("d.jsonl", "{a}")))["FT-856"] == "WARNING"
    assert "FT-856" not in rules(await inspect(job("d.jsonl", "{b[c]}")))


async def test_reading_of_a_file_is_reported(inspect: Inspect, project: Path) -> None:
    (project / "d.csv").write_text("a;b\n1,5;x\n2;y\n")

    finding = only(await inspect(job("d.csv")), "FT-880")

    assert (finding.severity, finding.field) == ("NOTICE", "dataset_id")
    assert "d.csv: Its cells are separated by semicolons" in finding.description


async def test_null_and_absent_values_are_counted(inspect: Inspect, project: Path) -> None:
    (project / "d.jsonl").write_text('{"a": "x"}\n{"a": null, "b": 1}\n{"b": 2}\n')

    finding = only(await inspect(job("d.jsonl", "Say {a}")), "FT-881")

    assert (finding.rows, list(finding.places)) == (2, ["line 2", "line 3"])
    assert "have no value for {a}" in finding.description


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n" + "1,2\n" * 150 + "3\n", "line 152: 1 values for 2 columns"),
        ("a,b\n1,é\n".encode("latin-1"), "line 2: not UTF-8"),
        (f"a,b\n{'x' * 200_000},1\n", ""),
    ],
)
async def test_rows_are_all_read_with_the_reader_of_jobs(
    inspect: Inspect, project: Path, content: str | bytes, said: str
) -> None:
    (project / "d.csv").write_bytes(content.encode() if isinstance(content, str) else content)

    response = await inspect(job("d.csv"))

    if said:
        assert said in only(response, "FT-851").description
    else:
        assert response.data.rows == 1


async def test_template_that_a_row_cannot_fill_is_an_error(inspect: Inspect, project: Path) -> None:
    (project / "d.jsonl").write_text('{"a": {"c": "y"}}\n{"a": {"d": "z"}}\n')

    finding = only(await inspect(job("d.jsonl", "{a[c]}")), "FT-854")

    assert (finding.severity, finding.rows, list(finding.places)) == ("ERROR", 1, ["line 2"])


async def test_texts_that_are_also_held_out_are_reported(inspect: Inspect, project: Path) -> None:
    (project / "d.csv").write_text("a,b\n" + "same,1\n" * 10)

    response = await inspect(job("d.csv", train_test_split=0.8))

    finding = only(response, "FT-860")
    assert (finding.severity, finding.rows) == ("NOTICE", 2)
    assert (response.data.used_rows, response.data.held_out_rows) == (8, 2)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00a",
        b'a,b\n"never closed,1\n',
        b"a,b\n1,2\n1,2,3,4\n",
        b"a,b\n" + b'"' * 99 + b"\n",
        b"a\x00,b\nx\x00,y\n",
    ],
)
async def test_hostile_files_never_fail_the_inspection(
    inspect: Inspect, project: Path, content: bytes
) -> None:
    (project / "d.csv").write_bytes(content)

    response = await inspect(job("d.csv"))

    assert response.HasField("data") or "ERROR" in rules(response).values()


cells = st.text("ab \n\t,\"'é", max_size=5)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_places_in_csv_are_the_first_line_of_the_row(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], end: str
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    begins, text = [], f"a,b{end}"
    for row in rows:
        line = io.StringIO()
        csv.writer(line, lineterminator=end).writerow(row)
        begins.append(text.count("\n") + 1)
        text += line.getvalue()
    (folder / "d.csv").write_text(text, newline="")
    dataset = DatasetMetadata(type="project_csv", name="d", location="d.csv")

    loaded = reading.read(dataset, folder, None)
    names = [loaded.places["train"].name(n) for n in range(len(loaded.splits["train"]))]

    assert names == [f"line {n}" for n in begins]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=9)), min_size=1, max_size=20))
def test_places_in_jsonl_are_the_line_of_the_row(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str | None]
) -> None:
    folder = tmp_path_factory.mktemp("jsonl")
    text = "".join("\n" if one is None else json.dumps({"a": one}) + "\n" for one in lines)
    (folder / "d.jsonl").write_text(text)
    wanted = [f"line {n}" for n, one in enumerate(lines, start=1) if one is not None]
    dataset = DatasetMetadata(type="project_jsonl", name="d", location="d.jsonl")
    if not wanted:
        return

    places = reading.read(dataset, folder, None).places["train"]

    assert [places.name(n) for n in range(len(wanted))] == wanted


@pytest.mark.parametrize("kind", ["fine_tuning", "evaluation"])
@pytest.mark.parametrize("name", ["d.csv", "d.jsonl"])
async def test_blank_answers_are_counted(
    inspect: Inspect, project: Path, name: str, kind: str
) -> None:
    answers = ["yes", "", " "] * 4
    csv = "q,note,a\n" + "".join(f"why {n},,{a}\n" for n, a in enumerate(answers))
    lines = [json.dumps({"q": f"why {n}", "note": "", "a": a}) for n, a in enumerate(answers)]
    (project / name).write_text(csv if name.endswith("csv") else "\n".join(lines))
    request = job(name, "{q} {note}{a}", kind=kind, alone=True)
    request.prompt.input_template, request.prompt.completion_template = "{q} {note}", "{a}"
    request.train_test_split = 1.0 if kind == "fine_tuning" else 0.1

    finding = only(await inspect(request), "FT-133")

    assert (finding.severity, finding.field) == ("WARNING", "dataset_id")
    assert (finding.rows > 4, len(finding.places)) == (True, 5)
    assert "rows have a blank {a}, so the answer lacks it" in finding.description


async def test_shares_that_leave_no_rows_are_reported_with_the_count(
    inspect: Inspect, project: Path
) -> None:
    (project / "d.csv").write_text("a\n" + "b\n" * 60)
    request = job("d.csv", dataset_fraction=0.01, train_test_split=0.9)

    finding = only(await inspect(request), "FT-853")

    assert "dataset_fraction 0.01 and train_test_split 0.9 of 60 rows" in finding.description
