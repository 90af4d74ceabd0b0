"""A disk that is full takes nothing away that a job has told."""

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ft.job_protocol.events import Failed, Progress, Registered, Saved, Started
from ft.job_protocol.files import EVENTS_FILE
from tests.processes import starts_processes
from trainer.errors import EventsError, explain, kind_of
from trainer.job import events
from trainer.job.events import RESERVE_FILE, EventLog
from trainer.job.run import run_job

SIZE = 256 * 1024


@pytest.fixture
@starts_processes
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own that has little room."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system can be mounted here by root alone")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leaves no room on the disk; the file that takes it."""
    file = folder / "filler"
    with file.open("ab", buffering=0) as filling:
        for size in (4096, 1):
            with suppress(OSError):
                while filling.write(b"x" * size):
                    pass
    return file


def told(folder: Path) -> list[dict[str, Any]]:
    *lines, _cut = (folder / EVENTS_FILE).read_bytes().split(b"\n")
    return [json.loads(line) for line in lines]


def tell(log: EventLog, steps: Iterable[int]) -> None:
    for step in steps:
        log.write(Saved(step=step, location="größer " * 10))


def test_events_are_written_once_there_is_room(
    small: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = EventLog(small)
    log.write(Progress(step=0))
    filler = fill(small)
    tell(log, range(1, 1000))
    assert len(told(small)) < 1000
    assert len([one for one in caplog.messages if "No space left on device" in one]) == 1
    filler.unlink()
    log.close()
    assert [event["step"] for event in told(small)] == list(range(1000))


def test_full_disk_has_room_for_the_end(small: Path) -> None:
    log = EventLog(small, reserve=True)
    fill(small)
    log.write(Failed(reason="the disk is full"))
    log.close()
    assert told(small)[-1]["reason"] == "the disk is full"
    assert not (small / RESERVE_FILE).exists()


def test_unwritten_events_are_limited(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_KEPT_BYTES", 10_000)
    log = EventLog(small)
    fill(small)
    with pytest.raises(EventsError, match="No space left on device") as refused:
        tell(log, range(1000))
    assert str(small / EVENTS_FILE) in explain(refused.value)
    assert kind_of(refused.value) == "ERROR", "it may pass"


def works(folder: Path, work: Callable[[EventLog], None]) -> int:
    return run_job(folder, (), work)


def test_job_whose_last_events_are_lost_has_not_succeeded(
    small: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("trainer.job.events.RESERVE_BYTES", 1)
    monkeypatch.setattr("trainer.job.events.EventLog.close.__defaults__", (0.0,))

    def work(log: EventLog) -> None:
        fill(small)
        (small / RESERVE_FILE).unlink()
        fill(small)
        log.write(Registered(adapter_id="a"))

    assert works(small, work) == 1
    said = capfd.readouterr().err
    assert "The job has failed: 2 events of the job cannot be written into" in said
    assert "No space left on device" in said


def test_job_that_fails_on_a_full_disk_says_so(small: Path) -> None:
    def work(log: EventLog) -> None:
        log.write(Started())
        fill(small)
        (small / "checkpoint").write_bytes(b"x" * SIZE)

    assert works(small, work) == 1
    [failed] = [event for event in told(small) if event["event"] == "failed"]
    assert "disk is full" in failed["reason"].lower()
    assert not (small / RESERVE_FILE).exists()
