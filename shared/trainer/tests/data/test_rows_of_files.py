"""From a file to the text that a job trains on: what stands in the file, to the letter."""

import csv
import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ft.api import DatasetMetadata, PromptMetadata
from ft.job_protocol.files import MANIFEST_FILE
from rows import reading
from rows.errors import DataError
from trainer.data import texts as data
from trainer.model import manifest
from trainer.tests.conftest import trained
from trainer.tests.studio import Studio
from trainer.tests.support import Run
from trainer.training.checkpoints import COMPLETE_FILE

Train = Callable[..., Run]
CELLS = ["00501", "1.10", "TRUE", "2024-01-05", "1e5", "NA", "null", " x ", "", "007", "1,5", "é"]


class _Tokenizer:
    eos_token = ""
    chat_template = ""


def trained_texts(project: Path, kind: str, location: str, template: str) -> list[str]:
    """What a job's examples are for a file."""
    dataset = DatasetMetadata(type=kind, name="d", location=location)
    rows = reading.load(dataset, project, None)["train"]
    prompt = PromptMetadata(
        prompt_template=template, input_template=template, completion_template=template
    )
    made = data.Examples(prompt, {}, _Tokenizer(), rows).of(rows)
    return list(made[data.TEXT_COLUMN])


@pytest.mark.parametrize("rows", [1, 10_050])
def test_csv_cells_are_trained_on_as_written(tmp_path: Path, rows: int) -> None:
    lines = [[f"word{n}", CELLS[n % len(CELLS)]] for n in range(rows)]
    file = io.StringIO()
    csv.writer(file).writerows([["a", "b"], *lines])
    (tmp_path / "d.csv").write_text(file.getvalue(), newline="")

    found = trained_texts(tmp_path, "project_csv", "d.csv", "{a}|{b}")

    assert found == ["|".join(line) for line in lines]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (['"2024-01-05"', '"2024-01-06"'], ["2024-01-05", "2024-01-06"]),
        (["123456789012345678901234567890", "5"], ["123456789012345678901234567890", "5"]),
        (["5", "5.0", "1.10"], ["5", "5.0", "1.10"]),
        (["9007199254740993", "0.5"], ["9007199254740993", "0.5"]),
        (
            ["9007199254740993.0", "1E5", "1e400", "-0"],
            ["9007199254740993.0", "1E5", "1e400", "-0"],
        ),
        (["true", "false", "null", '"null"'], ["true", "false", "", "null"]),
        (['"5"', "5", "[5]"], ["5", "5", "[5]"]),
        (
            ['{"k": null, "é": [1.0, true]}', "[]", "{}"],
            ['{"k": null, "é": [1.0, true]}', "[]", "{}"],
        ),
        ([r'"\u00e9\n\""', r'["\u00e9\""]'], ['é\n"', r'["é\""]']),
    ],
)
@pytest.mark.parametrize("kind", ["project_json", "project_jsonl"])
def test_json_values_are_trained_on_as_written(
    tmp_path: Path, kind: str, values: list[str], texts: list[str]
) -> None:
    rows = [f'{{"a": {value}, "b": "x"}}' for value in values]
    lines = kind == "project_jsonl"
    (tmp_path / "d").write_text("\n".join(rows) if lines else f"[{', '.join(rows)}]")

    assert trained_texts(tmp_path, kind, "d", "{a}") == texts


def test_types_may_change_late_and_keys_may_come_late(tmp_path: Path) -> None:
    first = [json.dumps({"a": "x" * 1000, "n": None}) for _ in range(11_000)]
    (tmp_path / "d.jsonl").write_text("\n".join([*first, '{"a": 1.10, "n": 1, "late": [1]}']))

    found = trained_texts(tmp_path, "project_jsonl", "d.jsonl", "{a}{n}{late}")

    assert (tmp_path / "d.jsonl").stat().st_size > 10 * 1024**2
    assert (found[0], found[-1]) == ("x" * 1000, "1.101[1]")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n" + "1,2\n" * 150 + "3\n", "line 152: 1 values for 2 columns: '3'"),
        ("a,b\n" + "1,2\n" * 150 + "3,4,5\n", "line 152: 3 values for 2 columns: '3, 4, 5'"),
        ("a,b\n", "line 1: there are only column names and no rows"),
        ('a,b\n1,2\n1,"2\n3,4\n', "line 3: unexpected end of data: a quotation mark is opened"),
    ],
)
def test_rows_that_do_not_fit_are_refused_with_their_line(
    tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "d.csv").write_text(content)
    with pytest.raises(DataError, match=said):
        trained_texts(tmp_path, "project_csv", "d.csv", "{a}")


def test_long_cell_is_read_whole(tmp_path: Path) -> None:
    long = "x" * 1_000_000
    (tmp_path / "d.csv").write_text(f"a,b\n{long},1\n")
    assert trained_texts(tmp_path, "project_csv", "d.csv", "{a}") == [long]


def talk(*messages: dict[str, Any]) -> str:
    return json.dumps({"messages": list(messages)})


def test_messages_keep_the_keys_that_they_have(tmp_path: Path) -> None:
    told = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": "", "tool_calls": [{"arguments": {"n": 1, "s": "y"}}]},
        {"role": "tool", "content": "z", "name": None},
    ]
    (tmp_path / "d.jsonl").write_text(f"{talk(told[0])}\n{talk(*told)}\n")
    dataset = DatasetMetadata(type="project_jsonl", name="d", location="d.jsonl")

    rows = reading.load(dataset, tmp_path, None)["train"]

    assert list(rows["messages"]) == [told[:1], told]


def notices(run: Run) -> str:
    return " ".join(str(event["message"]) for event in run.of("notice"))


def test_blank_answers_are_reported(train: Train, project: Path) -> None:
    answers = ["yes", "", " "] * 10
    rows = [{"customer": f"hello {n}", "action": one} for n, one in enumerate(answers)]
    (project / "blank.jsonl").write_text("\n".join(map(json.dumps, rows)))

    told = notices(train(dataset="blank.jsonl"))

    assert re.search(r"\{action\} is blank in \d+ of 27 rows: the answer lacks it there", told)


def test_reading_of_the_rows_is_reported_and_recorded(
    train: Train, project: Path, studio: Studio
) -> None:
    rows = [f'{{"customer": "hello {n}", "action": {n % 3}.10}}' for n in range(20)]
    rows[5] = '{"customer": "nothing"}'
    (project / "odd.jsonl").write_text("\n".join(rows))

    run = train(dataset="odd.jsonl")

    assert "{action} has no value in 1 of 18 rows: an empty text is used there." in notices(run)
    [written] = run.of("manifest")
    told = written["manifest"]["data"]
    assert told["reader"] == 1
    assert told["files"].keys() == {"odd.jsonl"}


def test_file_that_was_rewritten_with_its_size_and_time_trains_the_new_rows(
    tmp_path: Path,
) -> None:
    file = tmp_path / "d.csv"
    file.write_text("a,b\n1,old\n")
    status = file.stat()
    assert trained_texts(tmp_path, "project_csv", "d.csv", "{b}") == ["old"]

    file.write_text("a,b\n1,new\n")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert trained_texts(tmp_path, "project_csv", "d.csv", "{b}") == ["new"]
    [kept] = (tmp_path / ".fts-rows").glob("*.arrow")
    assert kept.stat().st_mode & 0o777 == 0o600


SAVING = {"save_strategy": "steps", "save_steps": 4, "optim": "adamw_torch", "fp16": False}


def as_of_another_reader(job: Path, **changes: Any) -> None:
    """Makes a job's checkpoints those of a release that had no reader of its own."""
    for file in job.glob(f"checkpoint-*/{COMPLETE_FILE}"):
        marked = json.loads(file.read_text())
        marked.pop("reader", None)
        file.write_text(json.dumps({**marked, **changes}))


def test_job_of_an_earlier_reader_goes_on_with_the_same_rows_only(
    train: Train,
    project: Path,
    studio: Studio,
    fine_tune_flags: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = train(SAVING, lora={})
    monkeypatch.setenv("FTS_ATTEMPT", "2")
    studio.adapters.clear()
    flags = fine_tune_flags("job-1", training=SAVING, lora_config="{}")
    as_of_another_reader(first.folder)

    again = trained(studio, project, "job-1", flags)

    assert [event["checkpoint"] for event in again.of("resumed")] == ["checkpoint-8"]
    assert (
        "were read by a release without its own reader; version 1 of the reader reads the same rows"
    ) in notices(again)

    as_of_another_reader(first.folder, identity="other")
    studio.adapters.clear()
    with pytest.raises(DataError, match=r"The job cannot continue from .* Start a new job\."):
        trained(studio, project, "job-1", flags)


def test_evaluation_of_a_training_with_another_reader_is_reported(tmp_path: Path) -> None:
    told: list[str] = []
    source = reading.RowsSource(1, {})
    for written in ({"data": {"train_rows": 1}}, {"data": {"reader": 1}}, {}):
        (tmp_path / MANIFEST_FILE).write_text(json.dumps(written))
        manifest.report_reader_change(tmp_path, "a", source, told.append)
    assert len(told) == 1
    assert "read by a release without its own reader, and they are now read by version 1" in told[0]
