"""The studio on this machine for real: its processes, and what happens when they die."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ft.cli.exits import Exit
from tests.processes import starts_processes

pytestmark = pytest.mark.starts_processes

TOKEN = "hf_0123456789abcdefghij"
PATIENCE_SECONDS = 120.0


class Fts:
    """The command as a process, for one home."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self._environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("FTS_", "CDSW_", "FINE_TUNING_SERVICE_"))
        }
        self._environment |= environment
        self._environment |= {"HUGGINGFACE_ACCESS_TOKEN": TOKEN, "FTS_HOME": str(home)}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "ft.cli", *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        with self.start(*arguments) as process:
            stdout, stderr = process.communicate(timeout=2 * PATIENCE_SECONDS)
        assert "Traceback" not in stderr
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)

    def up(self, *options: str) -> str:
        """Starts the studio; its address."""
        done = self("up", "--wait", str(PATIENCE_SECONDS), "--json", *options)
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout)["address"])

    def pids(self) -> dict[str, int]:
        """The processes' pids by name."""
        reports = json.loads(self("status", "--json").stdout)
        return {report["name"]: report["pid"] for report in reports}


def eventually(holds: Callable[[], Any]) -> Any:
    """Waits until it holds, and returns what it found."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
@starts_processes
def fts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fts]:
    command = Fts(tmp_path_factory.mktemp("a studio") / "home")
    try:
        command.up("--listen", "127.0.0.1:0")
        yield command
    finally:
        assert command("down").returncode == 0


@pytest.fixture
def other_home(tmp_path: Path) -> Iterator[Path]:
    """A home of the test's own. Nothing runs there afterwards, however the test ends."""
    yield tmp_path / "home"
    Fts(tmp_path / "home")("down")


def test_up_serves_and_again_changes_nothing(fts: Fts) -> None:
    assert fts("status").returncode == 0
    assert fts("health").returncode == 0
    before = fts.pids()
    assert set(before) == {
        *("workbench", "datasets", "models", "adapters", "prompts", "configs"),
        *("fine_tuning", "evaluation", "inspection", "facade"),
    }
    address = fts.up()
    assert fts.up("--listen", "127.0.0.1:0") == address
    assert fts.pids() == before


def test_up_with_other_options_is_refused(fts: Fts) -> None:
    refused = fts("up", "--project", "/elsewhere")
    assert refused.returncode == Exit.REFUSED
    assert "stop it with `fts down`" in refused.stderr


def test_commands_find_the_studio_by_its_home(fts: Fts) -> None:
    listed = fts("configs", "list", "--type", "lora_config", "--json")
    assert json.loads(listed.stdout)[0]["is_default"] == 1


def test_killed_domain_is_reported_and_comes_back_alone(fts: Fts) -> None:
    before = fts.pids()
    os.kill(before["prompts"], signal.SIGKILL)
    after = eventually(lambda: (now := fts.pids())["prompts"] not in (0, before["prompts"]) and now)
    eventually(lambda: fts("health").returncode == 0)
    assert {name: pid for name, pid in after.items() if name != "prompts"} == {
        name: pid for name, pid in before.items() if name != "prompts"
    }


def test_killed_facade_comes_back_at_the_same_address(fts: Fts) -> None:
    address, before = fts.up(), fts.pids()["facade"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: fts.pids()["facade"] not in (0, before))
    assert fts.up() == address


def test_secrets_are_written_nowhere(fts: Fts) -> None:
    key = (fts.home / "workbench.key").read_text().strip()
    for file in (*fts.home.glob("logs/*"), fts.home / "supervisord.conf", fts.home / "studio.json"):
        content = file.read_text(errors="replace")
        assert key not in content
        assert TOKEN not in content
    for name, pid in fts.pids().items():
        arguments = Path(f"/proc/{pid}/cmdline").read_text()
        assert name in arguments
        assert key not in arguments
        assert TOKEN not in arguments


def test_killed_supervisor_is_replaced_with_all_it_left_behind(fts: Fts) -> None:
    address, before = fts.up(), fts.pids()
    os.kill(int((fts.home / "run" / "supervisord.pid").read_text()), signal.SIGKILL)
    eventually(lambda: fts("status").returncode != 0)
    assert fts.up() == address
    after = fts.pids()
    assert not set(before.values()) & set(after.values())
    assert not [pid for pid in before.values() if Path(f"/proc/{pid}").exists()]


def test_down_twice_and_concurrent_ups_work(fts: Fts) -> None:
    before = fts.pids()
    stopped = fts("down")
    assert (stopped.returncode, "running jobs continue" in stopped.stdout) == (0, True)
    assert not [pid for pid in before.values() if Path(f"/proc/{pid}").exists()]
    again = fts("down")
    assert (again.returncode, "no studio runs" in again.stdout) == (0, True)
    both = [fts.start("up", "--wait", str(PATIENCE_SECONDS), "--json") for _ in range(2)]
    answers = [process.communicate(timeout=2 * PATIENCE_SECONDS)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert answers[0] == answers[1]
    assert fts("status").returncode == 0


@pytest.mark.parametrize("next_command", ["down", "up"])
def test_commands_wait_for_a_supervisor_that_stops(fts: Fts, next_command: str) -> None:
    before = fts.pids()
    supervisor = int((fts.home / "run" / "supervisord.pid").read_text())
    # A process that does not end keeps the supervisor from ending, and from answering.
    os.kill(before["configs"], signal.SIGSTOP)
    os.kill(supervisor, signal.SIGTERM)
    eventually(lambda: fts("status").returncode == Exit.FAILED)
    options = ("--wait", str(PATIENCE_SECONDS)) if next_command == "up" else ()
    with fts.start(next_command, *options) as waiting:
        eventually(lambda: is_locked(fts.home / "lock"))
        os.kill(before["configs"], signal.SIGCONT)
        output, error = waiting.communicate(timeout=PATIENCE_SECONDS)
    assert (waiting.returncode, error) == (0, ""), output
    fts.up()
    assert not set(before.values()) & set(fts.pids().values())


def is_locked(path: Path) -> bool:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_taken_port_is_refused_before_anything_starts(other_home: Path, closed_port: int) -> None:
    other = Fts(other_home)
    failed = other("up", "--listen", f"127.0.0.1:{closed_port}")
    assert failed.returncode == Exit.USAGE
    assert f"127.0.0.1:{closed_port}: Address already in use" in failed.stderr
    assert other("status").returncode == Exit.FAILED


def test_processes_that_die_at_once_are_named_with_their_output(other_home: Path) -> None:
    other = Fts(other_home, FTS_LOG_LEVEL="loud")
    failed = other("up", "--wait", str(PATIENCE_SECONDS), "--listen", "127.0.0.1:0")
    assert failed.returncode == Exit.FAILED
    assert "end again and again" in failed.stderr
    assert "FTS_LOG_LEVEL: must be debug" in failed.stderr


# Where the trainer is missing or broken


def interpreter(folder: Path, words: str) -> Path:
    """A program in the place of the Python that runs jobs."""
    folder.mkdir()
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{words}\n")
    program.chmod(0o755)
    return program


def packages(folder: Path, **code: str) -> Path:
    """A folder of packages that can be found, and do at their import what `code` says."""
    for name in ("torch", "transformers", "peft", "trl", "datasets", "accelerate", "trainer"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(code.get(name, ""))
    (folder / "trainer" / "training.py").touch()
    return folder


def test_up_without_a_trainer_names_the_command_to_run(other_home: Path, tmp_path: Path) -> None:
    other = Fts(other_home)
    bare = interpreter(tmp_path / "bare", f'exec {sys.executable} -S -E "$@"')
    options = ("--listen", "127.0.0.1:0", "--trainer-python", str(bare))
    up = other("up", "--wait", str(PATIENCE_SECONDS), *options)
    assert up.returncode == 0, up.stderr
    said = f"the trainer is not installed for {bare}, which runs the jobs: run `make env`"
    assert said in " ".join(up.stdout.split())
    # Also later, and for scripts.
    assert said in " ".join(other("status").stdout.split())
    again = json.loads(other("up", "--json").stdout)
    assert again["no_trainer"].startswith(said)


def test_trainer_that_cannot_be_imported_is_named_with_its_output(
    other_home: Path, tmp_path: Path
) -> None:
    other = Fts(other_home)
    fault = "libcudart.so.12: cannot open shared object file"
    found = packages(tmp_path / "packages", torch=f"raise ImportError({fault!r})")
    words = f'PYTHONPATH="{found}" exec {sys.executable} -S "$@"'
    broken = interpreter(tmp_path / "broken", words)
    options = ("--listen", "127.0.0.1:0", "--trainer-python", str(broken))
    up = other("up", "--wait", str(PATIENCE_SECONDS), *options)
    assert up.returncode == 0, up.stderr
    # Where the machine is busy it is known later only.
    said = eventually(lambda: json.loads(other("up", "--json").stdout).get("no_trainer"))
    assert said.startswith(f"the trainer cannot be imported by {broken}, which runs the jobs")
    assert f"ImportError: {fault}" in said
    assert "`make clean env`" in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("echo 'python: error while loading shared libraries: libz.so.1' >&2; exit 127", "libz"),
        ("exit 1", "it ended with exit status 1"),
        ("echo hello", "hello"),
    ],
)
def test_interpreter_that_does_not_run_is_named_with_the_remedy(
    other_home: Path, tmp_path: Path, words: str, why: str
) -> None:
    other = Fts(other_home)
    broken = interpreter(tmp_path / "broken", words)
    options = ("--listen", "127.0.0.1:0", "--trainer-python", str(broken))
    failed = other("up", "--wait", str(PATIENCE_SECONDS), *options)
    assert failed.returncode == Exit.FAILED
    said = " ".join(failed.stderr.split())
    assert f"{broken}, the interpreter for jobs, cannot be used (" in said
    assert why in said
    assert "`make clean env`" in said


def test_missing_interpreter_is_named_before_anything_starts(
    other_home: Path, tmp_path: Path
) -> None:
    other = Fts(other_home)
    gone = tmp_path / "gone" / "python"
    failed = other("up", "--trainer-python", str(gone))
    assert failed.returncode == Exit.USAGE
    said = " ".join(failed.stderr.split())
    assert f"{gone} is not an executable file" in said
    assert "`make env`" in said
    assert not (other_home / "studio.json").exists()
