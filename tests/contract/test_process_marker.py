"""`tests/processes.py`: no test without the marker starts a process."""

import sys
from pathlib import Path

import pytest

from tests.support import REPOSITORY, run

pytestmark = pytest.mark.starts_processes

SUITE = """
import asyncio, multiprocessing, os, subprocess, sys, threading
import pytest
from tests.processes import starts_processes

TRUE = [sys.executable, "-c", ""]

def test_unmarked_run():
    subprocess.run(TRUE)

def test_unmarked_run_whose_failure_is_swallowed():
    try:
        subprocess.run(TRUE)
    except BaseException:
        pass

def test_unmarked_run_in_a_thread():
    thread = threading.Thread(target=subprocess.run, args=(TRUE,))
    thread.start()
    thread.join()

def test_unmarked_coroutine():
    asyncio.run(asyncio.create_subprocess_exec(*TRUE))

def test_unmarked_fork():
    if os.fork() == 0:
        os._exit(0)

@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_unmarked_multiprocessing(method):
    multiprocessing.get_context(method).Process(target=print).start()

def test_unmarked_system():
    os.system("true")

@pytest.fixture
def undeclared():
    subprocess.run(TRUE)

def test_unmarked_fixture(undeclared):
    pass

@pytest.mark.starts_processes
def test_marked_run():
    subprocess.run(TRUE)

@pytest.fixture
@starts_processes
def declared():
    subprocess.run(TRUE)

@pytest.fixture
def built_on_it(declared):
    subprocess.run(TRUE)

def test_marked_by_fixture(built_on_it):
    subprocess.run(TRUE)

def test_plain():
    pass
"""


def outcomes(folder: Path, *options: str) -> dict[str, str]:
    """Runs the suite in a process of its own; the outcome of each test that ran."""
    (folder / "test_suite.py").write_text(SUITE)
    (folder / "pytest.ini").write_text(
        f"[pytest]\nmarkers = starts_processes\npythonpath = {REPOSITORY}\n"
    )
    (folder / "conftest.py").write_text('pytest_plugins = ["tests.processes"]\n')
    command = (sys.executable, "-m", "pytest", "-rA", "-q", "-n", "0", "-p", "no:cacheprovider")
    done = run(*command, *options, cwd=folder)
    words = ("PASSED", "FAILED", "ERROR")
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith(words)]
    assert lines, done.stdout + done.stderr
    return {line[1].partition("::test_")[2]: line[0] for line in lines}


def test_process_of_an_unmarked_test_fails_it(tmp_path: Path) -> None:
    found = outcomes(tmp_path)
    unmarked = {name: outcome for name, outcome in found.items() if name.startswith("unmarked")}
    assert len(unmarked) == 10
    assert unmarked.pop("unmarked_fixture") == "ERROR"
    assert set(unmarked.values()) == {"FAILED"}
    rest = {name: outcome for name, outcome in found.items() if name not in unmarked}
    rest.pop("unmarked_fixture")
    assert rest == dict.fromkeys(("marked_run", "marked_by_fixture", "plain"), "PASSED")


def test_marker_comes_with_fixtures_that_start_processes(tmp_path: Path) -> None:
    found = outcomes(tmp_path, "-m", "starts_processes")
    assert set(found) == {"marked_run", "marked_by_fixture"}
