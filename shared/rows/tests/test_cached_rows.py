"""Rows that are kept in a project: processes that are killed, and projects that are read-only."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ft.api import DatasetMetadata
from rows import reading
from rows.cache.cache_folder import ABANDONED_SECONDS

pytestmark = pytest.mark.starts_processes

READ = """
import sys
from pathlib import Path
from ft.api import DatasetMetadata
from rows import reading
for kind, name in (one.split("=") for one in sys.argv[2:]):
    data = DatasetMetadata(type=kind, name="d", location=name)
    rows = reading.load(data, Path(sys.argv[1]), None)["train"]
    print(len(rows), rows[0])
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": ":".join(filter(None, sys.path)), "HF_HUB_OFFLINE": "1"}
ROWS = 60_000


def command(project: Path, *files: str) -> list[str]:
    return [sys.executable, "-c", READ, str(project), *files]


def files_of(project: Path, pattern: str) -> list[Path]:
    return list((project / ".fts-rows").glob(pattern))


@pytest.mark.parametrize("after_bytes", [0, 500_000, 5_000_000])
def test_process_that_is_killed_while_it_writes_leaves_no_entry(
    tmp_path: Path, after_bytes: int
) -> None:
    """Of 9 MB, the last third of which has a column of its own and so is a part of its own."""
    with (tmp_path / "d.jsonl").open("w") as file:
        for number in range(ROWS):
            late = ', "late": 1.10' if number > ROWS * 2 // 3 else ""
            file.write(f'{{"a": "{"x" * 100}", "n": {number}{late}}}\n')
    writer = subprocess.Popen(command(tmp_path, "project_jsonl=d.jsonl"), env=ENVIRONMENT)

    def written() -> int:
        return sum(one.stat().st_size for one in files_of(tmp_path, ".writing-*"))

    while writer.poll() is None and not (
        files_of(tmp_path, ".writing-*") and written() >= after_bytes
    ):
        time.sleep(0.005)
    assert writer.poll() is None, "it ended before it was killed"
    writer.send_signal(signal.SIGKILL)
    writer.wait()

    left = files_of(tmp_path, ".writing-*")
    assert left
    assert not files_of(tmp_path, "*.arrow")
    data = DatasetMetadata(type="project_jsonl", name="d", location="d.jsonl")
    rows = reading.load(data, tmp_path, None)["train"]
    assert (len(rows), rows[ROWS - 1]["n"], str(rows[ROWS - 1]["late"])) == (
        ROWS,
        ROWS - 1,
        "1.10",
    )
    assert len(files_of(tmp_path, "*.arrow")) == 1
    assert all(one.exists() for one in left)  # Somebody may be writing them.

    old = time.time() - ABANDONED_SECONDS - 1
    for one in left:
        os.utime(one, (old, old))
    reading.load(data, tmp_path, None)
    assert not files_of(tmp_path, ".writing-*")


def _can_mount() -> bool:
    """Whether this user may mount something in a namespace of its own."""
    unshare = shutil.which("unshare")
    done = unshare and subprocess.run(
        [unshare, "-m", "mount", "--bind", "/tmp", "/tmp"], capture_output=True
    )
    return bool(done) and done.returncode == 0


@pytest.mark.skipif(not _can_mount(), reason="needs to mount")
@pytest.mark.parametrize("kept", ["nothing", "all", "damaged"])
def test_rows_are_read_of_a_project_that_is_read_only(tmp_path: Path, kept: str) -> None:
    project = tmp_path / "project"
    (project / "f").mkdir(parents=True)
    (project / "d.csv").write_text("a\n00501\n")
    (project / "d.jsonl").write_text('{"a": 1.10}\n')
    (project / "f" / "train.csv").write_text("a\n1\n")
    reads = ["project_csv=d.csv", "project_jsonl=d.jsonl", "project=f"]
    if kept != "nothing":
        subprocess.run(command(project, *reads), env=ENVIRONMENT, check=True)
    if kept == "damaged":
        for entry in files_of(project, "*.arrow"):
            entry.write_bytes(b"nothing of the kind")
    before = sorted(str(path) for path in project.rglob("*"))

    mounted = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && ! touch "$0/x" && "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mounted, str(project), *command(project, *reads)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )

    assert done.stdout.splitlines() == [
        "1 {'a': '00501'}",
        "1 {'a': 1.10}",
        "1 {'a': '1'}",
    ], done.stderr[-2000:]
    assert sorted(str(path) for path in project.rglob("*")) == before
