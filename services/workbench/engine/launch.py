"""Starting the watcher of a run or of a deployment."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ft.job_protocol import variables
from services.workbench import provided
from services.workbench.engine import process_watcher
from services.workbench.engine.folder import RunFolder
from services.workbench.settings import WorkbenchSettings
from services.workbench.store.tables import JobRunRow, ProjectRow

PROVIDED = str(Path(provided.__file__).parent)


@dataclass(frozen=True)
class Address:
    """The URL and key with which a process reaches the workbench."""

    url: str
    key: str


@dataclass(frozen=True)
class Task:
    """A command to run for `engine_id`, a run or a deployment."""

    engine_id: str
    project_id: str
    folder: RunFolder
    command: Sequence[str]
    """Arguments for the interpreter of the jobs."""
    environment: Mapping[str, str]
    """Variables of the project, then of the job or the model, of which the later ones apply."""
    own: Mapping[str, str]
    """Variables that cannot be replaced."""
    gpus: Sequence[str]
    timeout: int = 0
    """Seconds; 0 for no limit."""
    kill_on_timeout: bool = True


class Launcher:
    """Starts processes on this machine, for the workbench at `address`."""

    def __init__(self, settings: WorkbenchSettings, address: Address) -> None:
        self._settings = settings
        self.address = address

    def launch_run(
        self, run: JobRunRow, project_environment: Mapping[str, str], gpus: Sequence[str]
    ) -> subprocess.Popen[bytes]:
        """Starts the watcher of `run`; raises OSError if that cannot be done."""
        return self.launch(
            Task(
                engine_id=run.id,
                project_id=run.project_id,
                folder=RunFolder(self._settings.runs_dir, run.id, run.attempt),
                command=[run.script],
                environment={**project_environment, **run.environment},
                own={variables.JOB_ARGUMENTS: run.arguments},
                gpus=gpus,
                timeout=run.timeout,
                kill_on_timeout=run.kill_on_timeout,
            )
        )

    def launch(self, task: Task) -> subprocess.Popen[bytes]:
        """Starts the watcher of `task`; raises OSError if that cannot be done."""
        task.folder.attempt.mkdir(parents=True, exist_ok=True, mode=0o700)
        spec = {
            "folder": str(task.folder.attempt),
            "command": [str(self._settings.python), *task.command],
            "cwd": str(self._settings.project),
            "environment": self._environment(task),
            "timeout": task.timeout,
            "kill_on_timeout": task.kill_on_timeout,
            "grace": self._settings.workbench_stop_grace_seconds,
        }
        # A file without a name: the environment, with its tokens, is never to be found on disk.
        with tempfile.TemporaryFile(mode="w+") as given, task.folder.output.open("ab") as output:
            json.dump(spec, given)
            given.flush()
            given.seek(0)
            return subprocess.Popen(  # noqa: S603 - our own file
                [sys.executable, "-P", str(Path(process_watcher.__file__))],
                stdin=given,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _environment(self, task: Task) -> dict[str, str]:
        # The workbench's own settings, which may name secrets, are none of a run's business.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("FTS_")}
        tools = str(self._settings.python.parent)
        inherited["PATH"] = os.pathsep.join([tools, inherited.get("PATH", os.defpath)])
        inherited["PYTHONUNBUFFERED"] = "1"
        platform = {
            variables.PROJECT_ID: task.project_id,
            variables.RUN_ID: task.engine_id,
            variables.API_URL: f"{self.address.url}/api/v2",
            variables.API_KEY: self.address.key,
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "CUDA_VISIBLE_DEVICES": ",".join(task.gpus),
        }
        environment = {**inherited, **task.environment, **platform, **task.own}
        # The platform's own package comes first: another one of its name finds no platform here.
        path = [PROVIDED, *filter(None, [environment.get("PYTHONPATH")])]
        return environment | {"PYTHONPATH": os.pathsep.join(path)}


def project_environment(session: Session, project_id: str) -> dict[str, str]:
    """The variables that all processes of a project share."""
    return session.scalars(select(ProjectRow.environment).where(ProjectRow.id == project_id)).one()
