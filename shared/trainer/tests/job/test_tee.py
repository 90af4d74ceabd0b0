"""All output is kept, also that of children, and also when the process is killed."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trainer.job.tee import _Target
from trainer.model.saving import replace_directory
from trainer.tests.support import until

SCRIPT = """
import os, subprocess, sys
from pathlib import Path
from trainer.job.tee import Tee
tee = Tee(Path(sys.argv[1]))
tee.start()
print("from python")
os.write(2, b"from c\\n")
subprocess.run(["echo", "from a child"], check=True)
{end}
"""


def run(log: Path, end: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-u", "-c", SCRIPT.format(end=end), str(log)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=Path(__file__).parents[3],
    )


@pytest.mark.starts_processes
def test_output_goes_to_both_places(tmp_path: Path) -> None:
    done = run(tmp_path / "folder" / "log", "tee.stop(); tee.stop(); print('after')")

    kept = (tmp_path / "folder" / "log").read_text()
    assert kept == "from python\nfrom c\nfrom a child\n"
    assert done.stdout + done.stderr == kept + "after\n"


@pytest.mark.starts_processes
def test_output_that_is_a_file_is_prepared_again_behind_the_copy(tmp_path: Path) -> None:
    """As in a run of the workbench, whose output is a file."""
    again = "from trainer.job.run import log_to_output; log_to_output(); print('after')"
    code = SCRIPT.format(end=f"{again}; tee.stop()")
    with (tmp_path / "output").open("w") as output:
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "log")],
            stdout=output,
            stderr=output,
            timeout=300,
            check=True,
            cwd=Path(__file__).parents[3],
        )
    assert "after\n" in (tmp_path / "log").read_text()
    assert "after\n" in (tmp_path / "output").read_text()


@pytest.mark.starts_processes
def test_output_is_complete_when_the_process_is_killed(tmp_path: Path) -> None:
    done = run(tmp_path / "log", "os.kill(os.getpid(), 9)")

    assert done.returncode == -signal.SIGKILL
    until(lambda: "from a child" in (tmp_path / "log").read_text())


def shell(log: Path, redirected: str) -> subprocess.CompletedProcess[str]:
    """Runs PRINTS with a locale that has nothing but ASCII, and its output redirected."""
    code, _, redirection = redirected.rpartition("\n")
    words = [sys.executable, "-c", f"import sys\n{code}", str(log), str(log.parent / "said")]
    ascii_only = {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONIOENCODING": "ascii:strict"}
    return subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", f"{shlex.join(words)} {redirection}"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        env={**os.environ, **ascii_only, "PYTHONCOERCECLOCALE": "0"},
        cwd=Path(__file__).parents[3],
    )


@pytest.mark.starts_processes
@pytest.mark.parametrize("redirected", ["", "> /dev/full", ">&- 2>&-", "| true", "2> /dev/full"])
def test_copy_is_complete_whatever_becomes_of_the_output(tmp_path: Path, redirected: str) -> None:
    done = shell(tmp_path / "log", f"{PRINTS} {redirected}")

    assert done.returncode == 0
    assert (tmp_path / "log").read_text() == "Größe \\udcff\n" * 1000
    assert "Traceback" not in done.stderr
    assert (tmp_path / "said").read_text() == ""


@pytest.mark.starts_processes
def test_unwritable_log_fails_nothing_and_is_reported(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to("/dev/full")
    done = shell(tmp_path / "log", PRINTS)

    assert done.returncode == 0
    assert done.stdout == "Größe \\udcff\n" * 1000
    size = len(done.stdout.encode())
    assert (tmp_path / "said").read_text() == (
        f"{size:,} bytes of the job's output are missing in its log, log: No space left on device."
    )


def test_gap_in_the_log_is_marked_where_it_is(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    target = _Target(full)
    target.write(b"lost")
    target.write(b" too")
    os.dup2(log, full)
    target.write(b"kept")
    target.write(b"\n")

    gap = "\n[8 bytes are missing: No space left on device]\n"
    assert (tmp_path / "log").read_text() == f"{gap}kept\n"
    assert target.lost == 8


PRINTS = """
from pathlib import Path
from trainer.job.tee import Tee
tee = Tee(Path(sys.argv[1]))
tee.start()
for _ in range(1000):
    print("Gr\\xf6\\xdfe \\udcff")
Path(sys.argv[2]).write_text(tee.stop(), encoding="utf-8")
"""


def test_directory_replaces_another(tmp_path: Path) -> None:
    for name in ("new", "target"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)

    replace_directory(tmp_path / "new", tmp_path / "target")

    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert (tmp_path / "target" / "file").read_text() == "new"
