"""A workbench that dies, and the runs that do not."""

import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psutil
import pytest

WAIT_FOR_GO = """
import os, pathlib, sys, time
with open("begun", "a") as file:
    file.write(f"{os.getpid()}\\n")
for _ in range(600):
    if pathlib.Path("go").exists():
        break
    time.sleep(0.05)
sys.exit(7)
"""


def _sql(harness: Any, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(harness.home / "workbench.db")) as database, database:
        return database.execute(statement, values).fetchall()


def _gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("ends", ["while the workbench is away", "after it is back"])
def test_exit_status_survives_a_killed_workbench(
    harness: Any, wait: Callable[..., Any], ends: str
) -> None:
    api = harness.start()
    run = harness.reach(api, harness.run(api, harness.job(api, WAIT_FOR_GO)), "ENGINE_RUNNING")
    pid = int(harness.written("begun"))
    before = harness.url
    harness.end(signal.SIGKILL)
    assert not _gone(pid)
    if ends == "while the workbench is away":
        (harness.project / "go").touch()
        ended = harness.home / "runs" / run.id / "attempt-1" / "ended.json"
        wait("the watcher wrote down the end", ended.exists)
        at = ended.stat().st_mtime
    api = harness.start()
    assert harness.url == before
    (harness.project / "go").touch()
    done = harness.done(api, run)
    assert done.status == "ENGINE_FAILED"
    assert _sql(harness, "SELECT exit_code FROM job_runs") == [(7,)]
    assert harness.written("begun") == f"{pid}\n"
    assert done.running_at == run.running_at
    if ends == "while the workbench is away":
        assert abs(done.finished_at.timestamp() - at) < 5, "not when the workbench was back"


def test_sigterm_leaves_runs_alive_and_exits_cleanly(harness: Any) -> None:
    api = harness.start()
    run = harness.reach(api, harness.run(api, harness.job(api, WAIT_FOR_GO)), "ENGINE_RUNNING")
    pid = int(harness.written("begun"))
    assert harness.end(signal.SIGTERM) == 0
    assert not _gone(pid)
    assert "Traceback" not in harness.log.read_text()
    (harness.project / "go").touch()
    assert harness.done(harness.start(), run).status == "ENGINE_FAILED"


def test_recorded_action_is_done_once_after_a_restart(
    harness: Any, wait: Callable[..., Any]
) -> None:
    api = harness.start()
    unwanted = harness.job(api, "")
    (harness.project / "go").touch()
    run = harness.run(api, harness.job(api, WAIT_FOR_GO, cpu=1000))
    harness.end(signal.SIGKILL)
    # As it is when the workbench dies between its note and the deed.
    _sql(harness, "UPDATE job_runs SET status = 'ENGINE_STARTING', cpu = 1")
    _sql(harness, "UPDATE jobs SET deleting = 1 WHERE id = ?", unwanted.id)
    done = harness.done(harness.start(), run)
    assert done.status == "ENGINE_FAILED"
    assert len(harness.written("begun").splitlines()) == 1
    assert _sql(harness, "SELECT attempt, exit_code FROM job_runs") == [(2, 7)]
    left = "SELECT count(*) FROM jobs WHERE id = ?"
    wait("the job is deleted", lambda: _sql(harness, left, unwanted.id) == [(0,)])


def test_run_that_began_unrecorded_is_not_started_again(harness: Any) -> None:
    api = harness.start()
    run = harness.reach(api, harness.run(api, harness.job(api, WAIT_FOR_GO)), "ENGINE_RUNNING")
    harness.written("begun")
    harness.end(signal.SIGKILL)
    _sql(harness, "UPDATE job_runs SET status = 'ENGINE_STARTING', running_at = NULL")
    api = harness.start()
    adopted = harness.reach(api, run, "ENGINE_RUNNING")
    assert adopted.running_at == run.running_at
    # And it obeys the new workbench as it did the old one.
    api.stop_job_run(harness.project_id, run.job_id, run.id)
    harness.reach(api, run, "ENGINE_STOPPED")
    (pid,) = harness.written("begun").splitlines()
    assert _gone(int(pid))


def test_run_whose_watcher_was_killed_fails_and_leaves_nothing(harness: Any) -> None:
    api = harness.start()
    run = harness.reach(api, harness.run(api, harness.job(api, WAIT_FOR_GO)), "ENGINE_RUNNING")
    pid = int(harness.written("begun"))
    watcher = psutil.Process(pid).parent()
    assert watcher is not None
    watcher.kill()
    assert harness.done(api, run).status == "ENGINE_FAILED"
    assert _gone(pid)
    assert "watcher is gone" in harness.output(run)


def test_second_workbench_over_the_same_home_is_refused(harness: Any) -> None:
    harness.start()
    second = harness.spawn()
    assert second.wait(120) == 1
    assert "another workbench uses" in harness.log.read_text()
    assert "Traceback" not in harness.log.read_text()


def test_read_only_home_is_reported_in_a_line(harness: Any) -> None:
    # A folder in the place of a file refuses to be replaced as a full disk refuses to be written.
    (harness.home / "workbench.url").mkdir(parents=True)
    assert harness.spawn().wait(120) == 1
    said = harness.log.read_text()
    assert "the workbench cannot start" in said
    assert "workbench.url" in said
    assert "Traceback" not in said
