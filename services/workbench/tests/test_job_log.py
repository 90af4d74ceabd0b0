"""How a run ended that failed, in the log that its job keeps."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cmlapi
from services.workbench.engine import job_log

OWN_LOG = {"FTS_JOB_LOG": "outputs/j/job.log"}
KEEPS = """
import pathlib
pathlib.Path("outputs/j").mkdir(parents=True, exist_ok=True)
with open("outputs/j/job.log", "a") as log:
    log.write("begun\\n")
"""


@pytest.fixture
def log(shared: Any) -> Path:
    path: Path = shared.project / OWN_LOG["FTS_JOB_LOG"]
    path.unlink(missing_ok=True)
    return path


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemExit(3)", ["exit status 3"]),
        ("import os; os.kill(os.getpid(), 9)", ["SIGKILL"]),
        ("import os; os.abort()", ["SIGABRT"]),
        ("int('x')", ["ValueError: invalid literal", "exit status 1"]),
        ("import nowhere_to_be_found", ["ModuleNotFoundError: No module named", "status 1"]),
        ("def f(:", ["SyntaxError", "exit status 1"]),
        (KEEPS + "1 / 0", ["begun", "ZeroDivisionError", "exit status 1"]),
        ("import sys; sys.stderr.buffer.write(b'\\xff no\\n'); sys.exit(2)", ["no", "status 2"]),
    ],
)
def test_output_is_in_the_log_of_the_job(
    shared: Any, api: cmlapi.CMLServiceApi, log: Path, code: str, said: list[str]
) -> None:
    run = shared.run(api, shared.job(api, code, environment=OWN_LOG))
    assert shared.done(api, run).status == "ENGINE_FAILED"
    told = log.read_text()
    assert [words for words in said if words not in told] == []
    assert told.count("[workbench]") == 1


def test_output_already_in_the_log_is_not_repeated(
    shared: Any, api: cmlapi.CMLServiceApi, log: Path
) -> None:
    code = KEEPS + "print('begun')\nraise SystemExit(4)"
    shared.done(api, shared.run(api, shared.job(api, code, environment=OWN_LOG)))
    assert log.read_text() == "begun\n[workbench] the script ended with exit status 4\n"


def test_successful_run_leaves_no_log_of_the_workbench(
    shared: Any, api: cmlapi.CMLServiceApi, log: Path
) -> None:
    shared.done(api, shared.run(api, shared.job(api, "print('fine')", environment=OWN_LOG)))
    assert not log.exists()


def test_missing_script_is_named(shared: Any, api: cmlapi.CMLServiceApi, log: Path) -> None:
    job = shared.job(api, "", script="nowhere.py", environment=OWN_LOG)
    shared.done(api, shared.run(api, job))
    assert "nowhere.py" in log.read_text()


def test_unusable_python_is_the_reason(harness: Any, tmp_path: Path) -> None:
    import sys

    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    harness.settings["FTS_WORKBENCH_PYTHON"] = str(python)
    api = harness.start()
    python.unlink()
    python.write_bytes(b"\x7fELF no program")
    python.chmod(0o755)
    run = harness.run(api, harness.job(api, "", environment=OWN_LOG))
    assert harness.done(api, run).status == "ENGINE_FAILED"
    assert "Exec format error" in (harness.project / OWN_LOG["FTS_JOB_LOG"]).read_text()


def test_run_whose_watcher_was_killed_says_so(harness: Any, wait: Callable[..., Any]) -> None:
    import psutil

    api = harness.start()
    code = "import os, time; print(os.getpid(), file=open('pid', 'w'), flush=True); time.sleep(99)"
    run = harness.run(api, harness.job(api, code, environment=OWN_LOG))
    watcher = psutil.Process(int(harness.written("pid"))).parent()
    assert watcher is not None
    watcher.kill()
    assert harness.done(api, run).status == "ENGINE_FAILED"
    assert "watcher is gone" in (harness.project / OWN_LOG["FTS_JOB_LOG"]).read_text()


def test_pipe_in_place_of_the_log_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "output.log").write_text("words\n")
    os.mkfifo(tmp_path / "job.log")
    with pytest.raises(OSError, match="No such device"):
        job_log.append_end(tmp_path / "output.log", tmp_path / "job.log")
