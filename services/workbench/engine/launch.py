"""Starting the watcher of a run."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.workbench import provided
from services.workbench.engine import shim
from services.workbench.engine.folder import RunFolder
from services.workbench.settings import WorkbenchSettings
from services.workbench.tables import JobRunRow

PROVIDED = str(Path(provided.__file__).parent)


@dataclass(frozen=True)
class Address:
    """How a run reaches the workbench."""

    url: str
    key: str


class Launcher:
    """Starts runs on this machine, for the workbench at `address`."""

    def __init__(self, settings: WorkbenchSettings, address: Address) -> None:
        self._settings = settings
        self._address = address

    def launch(
        self, run: JobRunRow, project_environment: Mapping[str, str], gpus: Sequence[str]
    ) -> subprocess.Popen[bytes]:
        """Start the watcher of `run`; raises OSError if that cannot be done."""
        folder = RunFolder(self._settings.runs_dir, run.id, run.attempt)
        folder.attempt.mkdir(parents=True, exist_ok=True, mode=0o700)
        spec = {
            "folder": str(folder.attempt),
            "command": [str(self._settings.python), run.script],
            "cwd": str(self._settings.project),
            "environment": self._environment(run, project_environment, gpus),
            "timeout": run.timeout,
            "kill_on_timeout": run.kill_on_timeout,
            "grace": self._settings.workbench_stop_grace_seconds,
        }
        # A file without a name: the environment, with its tokens, is never to be found on disk.
        with tempfile.TemporaryFile(mode="w+") as given, folder.output.open("ab") as output:
            json.dump(spec, given)
            given.flush()
            given.seek(0)
            return subprocess.Popen(  # noqa: S603 - our own file
                [sys.executable, "-P", str(Path(shim.__file__))],
                stdin=given,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _environment(
        self, run: JobRunRow, project: Mapping[str, str], gpus: Sequence[str]
    ) -> dict[str, str]:
        # The workbench's own settings, which may name secrets, are none of a run's business.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("FTS_")}
        tools = str(self._settings.python.parent)
        inherited["PATH"] = os.pathsep.join([tools, inherited.get("PATH", os.defpath)])
        inherited["PYTHONUNBUFFERED"] = "1"
        platform = {
            "CDSW_PROJECT_ID": run.project_id,
            "CDSW_ENGINE_ID": run.id,
            "CDSW_API_URL": f"{self._address.url}/api/v2",
            "CDSW_APIV2_KEY": self._address.key,
            "JOB_ARGUMENTS": run.arguments,
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "CUDA_VISIBLE_DEVICES": ",".join(gpus),
        }
        environment = inherited | dict(project) | run.environment | platform
        # The platform's own package comes first: another one of its name finds no platform here.
        path = [PROVIDED, *filter(None, [environment.get("PYTHONPATH")])]
        return environment | {"PYTHONPATH": os.pathsep.join(path)}
