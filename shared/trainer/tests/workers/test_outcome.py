"""Outcomes of several workers, and the cause among them."""

import time
from pathlib import Path

import pytest

from ft.enums import FailureKind
from trainer.job.ranks import is_loopback, threads
from trainer.workers.outcome import WorkerFiles, WorkerOutcome, cause, ended


@pytest.fixture
def files(tmp_path: Path) -> WorkerFiles:
    found = WorkerFiles(tmp_path, attempt=2)
    found.clear()
    return found


def test_first_reported_outcome_of_a_worker_counts(files: WorkerFiles) -> None:
    assert files.read(1) is None
    files.write(WorkerOutcome(1, FailureKind.USER_ERROR, "its own reason"))
    files.write(ended(1, 1))
    found = files.read(1)
    assert found is not None
    assert (found.reason, found.self_reported) == ("its own reason", True)
    assert abs(found.at - time.time()) < 60
    files.clear()
    assert files.read(1) is None


def test_worker_ended_from_outside_is_the_cause() -> None:
    lost = WorkerOutcome(0, FailureKind.ERROR, "connection reset", at=1.0)
    later = WorkerOutcome(2, FailureKind.ERROR, "connection reset", at=2.0)
    killed = ended(1, -9)
    assert killed.reason == "was ended by SIGKILL, as happens where memory runs out"
    assert ended(1, -35).reason == "was ended by signal 35"
    assert cause([lost, later, killed]) == killed
    assert cause([later, lost]) == lost


def test_end_of_a_log_is_short(files: WorkerFiles) -> None:
    assert files.last_lines(1) == ""
    files.log(1).write_bytes(b"x" * 100_000 + b"\n" + b"line\n" * 20 + b"\xff")
    assert files.last_lines(1).splitlines() == ["line"] * 7 + ["\N{REPLACEMENT CHARACTER}"]


@pytest.mark.parametrize(
    ("workers", "address", "granted"), [("1", "127.0.0.1", 64), ("2", "10.0.0.1", 64)]
)
def test_worker_with_a_machine_of_its_own_uses_what_it_is_granted(
    monkeypatch: pytest.MonkeyPatch, workers: str, address: str, granted: int
) -> None:
    monkeypatch.setenv("WORLD_SIZE", workers)
    monkeypatch.setenv("MASTER_ADDR", address)
    assert threads(granted) == granted


def test_workers_on_one_machine_share_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4096")
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    assert threads(64) == 1


def test_loopback_is_used_on_one_machine() -> None:
    assert is_loopback("::1")
    assert not is_loopback("worker-0.example")
