"""The client as users get it: pip, and the workbench's address."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

from services.workbench.client import archive


def test_pip_installs_the_client_from_the_address(shared: Any, tmp_path: Path) -> None:
    venv.create(tmp_path / "fresh", with_pip=False)
    python = tmp_path / "fresh" / "bin" / "python"
    site = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    )
    # The one dependency comes from here rather than from the network.
    (Path(site.strip()) / "here.pth").write_text(sysconfig.get_path("purelib"))
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "PYTHONPATH": ""}
    url = f"{shared.url}/api/v2/python.tar.gz"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-index"]
    subprocess.run([*pip, "--no-cache-dir", "--no-deps", url], env=environment, check=True)
    asked = (
        "import cmlapi; print(cmlapi.__file__); "
        "print(cmlapi.default_client().get_project('local').id)"
    )
    told = environment | {"CDSW_API_URL": f"{shared.url}/api/v2", "CDSW_APIV2_KEY": shared.key}
    answer = subprocess.check_output([python, "-c", asked], env=told, text=True, cwd=tmp_path)
    file, project = answer.split()
    assert Path(file).is_relative_to(tmp_path)
    assert project == "local"


def test_archive_is_the_same_every_time() -> None:
    assert archive.build() == archive.build()
