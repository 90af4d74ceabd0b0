"""What jobs write about themselves, garbage included."""

import json
import os
import traceback
from pathlib import Path

import pytest

from ft.job_protocol.events import JobEvent, NoticeGiven, OtherEvent, is_count, is_number
from jobs.execution import job_folder
from jobs.execution.job_folder import EventReader, last_lines


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def append(file: Path, content: bytes) -> None:
    with file.open("ab") as opened:
        opened.write(content)


def event_name(event: JobEvent) -> str:
    return event.other_name if isinstance(event, OtherEvent) else event.name


def test_events_come_once_and_in_order(tmp_path: Path, events: Path) -> None:
    reader = EventReader(tmp_path)
    append(events, b'{"event": "started"}\n{"event": "progress"}\n')
    assert [event_name(e) for e in reader.new()] == ["started", "progress"]
    assert list(reader.new()) == []
    append(events, b'{"event": "finished"}\n')
    assert [event_name(e) for e in reader.new()] == ["finished"]


def test_line_that_is_being_written_waits_for_its_end(tmp_path: Path, events: Path) -> None:
    reader = EventReader(tmp_path)
    line = json.dumps({"event": "notice", "message": "größer"}, ensure_ascii=False).encode() + b"\n"
    for cut in range(len(line)):
        append(events, line[cut : cut + 1])
        found = list(reader.new())
        assert bool(found) == (cut == len(line) - 1)
    assert found == [NoticeGiven(message="größer")]


def test_missing_file_has_no_events(tmp_path: Path, events: Path) -> None:
    reader = EventReader(tmp_path / "later")
    assert list(reader.new()) == []
    (tmp_path / "later").mkdir()
    append(tmp_path / "later/events.jsonl", b'{"event": "started"}\n')
    assert len(list(reader.new())) == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"no json",
        b"[1, 2]",
        b'"text"',
        b"",
        b"\xff\xfe",
        b"{" * 5,
        b"[" * 100_000,
        b'{"event": "notice", "message": "\\ud800"}',
    ],
)
def test_invalid_lines_between_events_are_skipped(
    tmp_path: Path, events: Path, garbage: bytes
) -> None:
    append(events, b'{"event": "a"}\n' + garbage + b'\n{"event": "b"}\n')
    assert [event_name(e) for e in EventReader(tmp_path).new()] == ["a", "b"]


def test_long_report_is_read_in_parts(
    tmp_path: Path, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_folder, "MAX_READ_BYTES", 64)
    lines = [b'{"event": "%d"}\n' % number for number in range(20)]
    append(events, b"".join(lines[:10]) + b"x" * 500 + b"\n" + b"".join(lines[10:]))
    reader = EventReader(tmp_path)
    found = [event_name(event) for event in reader.new()]
    assert found == ["0", "1", "2", "3"]
    while reader.behind:
        found += [event_name(event) for event in reader.new()]
    assert found == [str(number) for number in range(20)]


def test_pipe_in_place_of_the_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "events.jsonl")
    (tmp_path / "job.log").symlink_to("/dev/zero")
    assert list(EventReader(tmp_path).new()) == []
    assert last_lines(tmp_path) == []


@pytest.mark.parametrize("value", [None, True, "1", 1.5, -1, 2**31, [1]])
def test_invalid_count_is_ignored(value: object) -> None:
    assert not is_count(value)


@pytest.mark.parametrize("value", [None, True, "1", float("nan"), float("inf"), 10**400, {}])
def test_invalid_number_is_ignored(value: object) -> None:
    assert not is_number(value)


def test_counts_and_numbers_are_read() -> None:
    assert is_count(0)
    assert is_count(2**31 - 1)
    assert is_number(-1.5)
    assert is_number(3)


def test_last_lines_skip_empty_ones(tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    assert last_lines(tmp_path) == []
    log.write_bytes(b"\n \n")
    assert last_lines(tmp_path) == []
    log.write_bytes(b"first\n  ValueError: \xff no\n\n  \n")
    assert last_lines(tmp_path) == ["first", "ValueError: � no"]
    assert last_lines(tmp_path, 1) == ["ValueError: � no"]


def test_last_lines_of_a_traceback_are_its_end(tmp_path: Path) -> None:
    try:
        try:
            json.loads("{")
        finally:
            {}["gone"]
    except KeyError:
        told = traceback.format_exc()
    (tmp_path / "job.log").write_text(f"begin\n{told}  ends\n")
    begin, first, between, second, end = last_lines(tmp_path)
    assert (begin, second, end) == ("begin", "KeyError: 'gone'", "ends")
    assert first.startswith("json.decoder.JSONDecodeError: ")
    assert between.startswith("During handling")


def test_last_lines_of_a_long_log(tmp_path: Path) -> None:
    (tmp_path / "job.log").write_text("x" * 100_000 + "\nthe end\n")
    assert last_lines(tmp_path) == ["x" * 300, "the end"]
