"""All output is kept, also that of children, and also when the process is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trainer.saving import replace_directory
from trainer.tests.support import until

SCRIPT = """
import os, subprocess, sys
from pathlib import Path
from trainer.tee import Tee
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
        timeout=60,
        cwd=Path(__file__).parents[2],
    )


def test_output_goes_to_both_places(tmp_path: Path) -> None:
    done = run(tmp_path / "folder" / "log", "tee.stop(); tee.stop(); print('after')")

    kept = (tmp_path / "folder" / "log").read_text()
    assert kept == "from python\nfrom c\nfrom a child\n"
    assert done.stdout + done.stderr == kept + "after\n"


def test_nothing_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    done = run(tmp_path / "log", "os.kill(os.getpid(), 9)")

    assert done.returncode == -signal.SIGKILL
    until(lambda: "from a child" in (tmp_path / "log").read_text())


def test_a_directory_takes_the_place_of_another(tmp_path: Path) -> None:
    for name in ("new", "target"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)

    replace_directory(tmp_path / "new", tmp_path / "target")

    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert (tmp_path / "target" / "file").read_text() == "new"


PRINT = """
import sys
from pathlib import Path
from trainer.tee import Tee
tee = Tee(Path(sys.argv[1]))
tee.start()
print("größer \\N{GRINNING FACE}", flush=True)
tee.stop()
open(sys.argv[2], "w").write("\\n".join(tee.lost()))
"""


@pytest.mark.parametrize("broken", ["full", "directory", "closed output", "full output", "ascii"])
def test_a_copy_that_cannot_be_written_is_told_and_no_failure(tmp_path: Path, broken: str) -> None:
    log, told = tmp_path / "job.log", tmp_path / "told"
    if broken == "full":
        log.symlink_to("/dev/full")
    if broken == "directory":
        log.mkdir()
    redirect = {"closed output": ">&-", "full output": ">/dev/full"}.get(broken, "")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    if broken == "ascii":
        environment["PYTHONIOENCODING"] = "ascii:strict"
    command = f'"{sys.executable}" -c "$SCRIPT" "{log}" "{told}" {redirect}'
    result = subprocess.run(
        ["sh", "-c", command], env={**environment, "SCRIPT": PRINT}, capture_output=True, timeout=60
    )
    assert (result.returncode, result.stderr) == (0, b"")
    said = told.read_text()
    if broken in ("full", "directory"):
        assert "without its log" in said
        assert "größer" in result.stdout.decode()
    else:
        assert "größer 😀" in log.read_text(encoding="utf-8")
        assert ("without its standard output" in said) == (broken == "full output")
