"""Notices of workers: told once, by those that have them, and not in place of the first's."""

import time
from pathlib import Path

import pytest

from trainer.job.events import EventLog, WorkerNotices
from trainer.tests.support import Run
from trainer.workers import notices
from trainer.workers.notices import MOST_NOTICES, NoticeCollector
from trainer.workers.outcome import WorkerFiles


class Job:
    """A job of three workers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events = EventLog(folder)
        self.files = WorkerFiles(folder, 1)
        self.files.clear()
        self.notices = NoticeCollector(self.events, self.files, 3)

    def notice(self, rank: int, message: str) -> None:
        log = EventLog(self.folder) if rank == 0 else WorkerNotices(self.files.notices(rank))
        log.notice(message)

    @property
    def told(self) -> list[str]:
        return [event["message"] for event in Run(0, "", self.folder).of("notice")]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_notices_of_several_workers_are_reported_together(job: Job) -> None:
    for rank in (1, 2):
        job.notice(rank, "fp16 is replaced\nby ü")
    job.notice(2, "no GPU")
    job.notice(2, "no GPU")
    for _ in range(2):
        job.notices.report(over=True)
    assert job.told == ["Workers 1, 2: fp16 is replaced\nby ü", "Worker 2: no GPU"]


def test_first_worker_may_be_late(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    job.notice(1, "of all")
    job.notice(1, "of one")
    job.notices.report()
    assert job.told == []
    job.notice(0, "of all")
    later = time.monotonic() + notices.WAIT_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    job.notices.report()
    assert job.told == ["of all", "Worker 1: of one"]


def test_notice_of_an_earlier_attempt_is_reported_again(tmp_path: Path) -> None:
    EventLog(tmp_path).notice("no GPU")
    job = Job(tmp_path)
    job.notice(1, "no GPU")
    job.notices.report(over=True)
    assert job.told == ["no GPU", "Worker 1: no GPU"]


def test_notices_are_limited(job: Job) -> None:
    for number in range(50):
        job.notice(1, f"row {number}")
    job.notices.report(over=True)
    assert len(job.told) == MOST_NOTICES + 1
    assert job.told[-1] == "Further notices of the workers are in their logs alone."


def test_incomplete_line_waits(job: Job) -> None:
    job.files.notices(1).write_text('"whole"\n"not who')
    assert job.files.read_notices(1) == ["whole"]
    assert job.files.read_notices(2) == []
