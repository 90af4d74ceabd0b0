"""A project that is read-only is told before a job is started."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.starts_processes

SCRIPT = """
import sys
from pathlib import Path
from chassis.config import Settings
from chassis.rpc.errors import Violations
from chassis.paths import ProjectPaths
found = Violations()
paths = ProjectPaths(Settings(service="some", project_dir=Path(sys.argv[1])))
for location in ("", "out", "none"):
    paths.writable("output_dir", location, found)
print([one.rule for one in found.found])
"""


def _can_mount() -> bool:
    unshare = shutil.which("unshare")
    done = unshare and subprocess.run(
        [unshare, "-m", "mount", "--bind", "/tmp", "/tmp"], capture_output=True
    )
    return bool(done) and done.returncode == 0


@pytest.mark.skipif(not _can_mount(), reason="needs to mount")
@pytest.mark.parametrize(("flags", "said"), [("ro", "['FT-130', 'FT-130']"), ("rw", "[]")])
def test_read_only_project_is_reported(tmp_path: Path, flags: str, said: str) -> None:
    (tmp_path / "out").mkdir()
    mounted = f'mount --bind "$0" "$0" && mount -o remount,{flags},bind "$0" && exec "$@"'
    python = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mounted, str(tmp_path), *python],
        env={**os.environ, "PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == said, done.stderr
