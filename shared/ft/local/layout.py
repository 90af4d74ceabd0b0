"""Config file of the supervisor, and the processes with their environment."""

import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from ft.health import DOMAINS
from ft.job_protocol import variables
from ft.local.errors import BadSetting
from ft.local.home import Home, Setup, reachable

WORKBENCH = "workbench"
INSPECTION = "inspection"
FACADE = "facade"
ALL_PROCESSES = (WORKBENCH, *DOMAINS, INSPECTION, FACADE)
PROJECT_ID = "local"
"""The workbench's only project."""
GROUP = "studio"
"""The supervisor's group of all processes: it stops groups one after another, but the processes of
a group at once."""
START_SECONDS = 5
"""A process that ends sooner has failed to start. Its imports take a second or two."""
STOP_SECONDS = 15
"""Seconds for a process to stop. Services give calls in flight 10."""

_COMMENT = re.compile(r"\s[#;]|[\r\n]")
"""Characters that end a value in the supervisor's config file."""
_PROGRAM = """
[program:{name}]
command={python} -m services.{name}
environment={environment}
autostart=true
autorestart=true
startsecs={start_seconds}
startretries=10
stopwaitsecs={stop_seconds}
redirect_stderr=true
stdout_logfile=logs/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""

_SUPERVISOR = """\
; Written by `fts up` at each start. It names no path of the home, which may have characters that
; mean something here: the supervisor runs in the home, and `here` is the folder of this file.
[supervisord]
pidfile={run}/supervisord.pid
logfile=logs/supervisord.log
logfile_maxbytes=10MB
logfile_backups=2
childlogdir=logs
umask=077
minfds=256
minprocs=64
nocleanup=true

[unix_http_server]
file={run}/supervisor.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{run}/supervisor.sock

[group:{group}]
programs={names}
"""


def process_names(setup: Setup) -> tuple[str, ...]:
    """Names of the studio's processes, in the order in which they are shown."""
    return ALL_PROCESSES[1:] if setup.workspace else ALL_PROCESSES


def trainer_python(setup: Setup) -> str:
    """The interpreter that runs jobs: by default that of `.venv-trainer` next to this environment.

    Without that environment it is this interpreter, which can run scripts that need no torch.
    """
    beside = Path(sys.prefix).parent / ".venv-trainer" / "bin" / "python"
    return setup.trainer_python or str(beside if beside.exists() else sys.executable)


def supervisor_config(home: Home, setup: Setup) -> str:
    """The content of the supervisor's config file: paths, and no secrets.

    Raises BadSetting for a path outside of the home that the file cannot contain.
    """
    is_inside = home.run_dir.is_relative_to(home.path)
    head = _SUPERVISOR.format(
        run=f"%(here)s/{home.run_dir.name}" if is_inside else _in_config(str(home.run_dir)),
        group=GROUP,
        names=",".join(process_names(setup)),
    )
    python = _in_config(shlex.quote(sys.executable))
    programs = (
        _PROGRAM.format(
            name=name,
            python=python,
            environment=_own_environment(name, setup),
            start_seconds=START_SECONDS,
            stop_seconds=STOP_SECONDS,
        )
        for name in process_names(setup)
    )
    return head + "".join(programs)


def _own_environment(process: str, setup: Setup) -> str:
    """Variables of one process, as the config file has them."""
    if process == FACADE:
        return f'FTS_LISTEN="{_host(setup)}:{setup.facade_port}"'
    if process == WORKBENCH:
        # Jobs inherit it: one may start before the facade has written it into the project.
        return (
            f'{variables.STUDIO_IP}="{_reachable_host(setup)}",'
            f'{variables.STUDIO_PORT}="{setup.facade_port}"'
        )
    return ""


def _in_config(path: str) -> str:
    if comment := _COMMENT.search(path):
        raise BadSetting(f"{path}: must not contain {comment[0]!r}: rename a folder of it")
    return path.replace("%", "%%")


def environment(home: Home, setup: Setup, outer: Mapping[str, str]) -> dict[str, str]:
    """The environment of all processes: the user's own without addresses of other studios."""
    ours = {
        name: value
        for name, value in outer.items()
        if name != "FTS_LISTEN" and not (name.startswith("FTS_") and name.endswith("_ADDRESS"))
    }
    ours["FTS_HOME"] = str(home.path)
    ours["FTS_RUN_DIR"] = str(home.run_dir)
    if setup.project:
        ours["FTS_PROJECT_DIR"] = setup.project
    if not setup.workspace:
        ours |= {
            variables.PROJECT_ID: PROJECT_ID,
            variables.API_URL: f"http://127.0.0.1:{setup.workbench_port}",
            variables.RUN_ADDRESS: _reachable_host(setup),
            "FTS_WORKSPACE_KEY_FILE": str(home.workbench_key),
            "FTS_WORKBENCH_PORT": str(setup.workbench_port),
            "FTS_WORKBENCH_PROJECT_ID": PROJECT_ID,
            "FTS_WORKBENCH_URL_FILE": str(home.workbench_url),
            "FTS_WORKBENCH_KEY_FILE": str(home.workbench_key),
            "FTS_WORKBENCH_PYTHON": trainer_python(setup),
        }
        ours.pop(variables.API_KEY, None)
    return ours


def _host(setup: Setup) -> str:
    return setup.listen.rpartition(":")[0]


def _reachable_host(setup: Setup) -> str:
    return reachable(_host(setup)).strip("[]")


def log_tail(home: Home, process: str, lines: int = 8) -> str:
    """The last lines of a process's log; empty if there is none."""
    try:
        with (home.logs / f"{process}.log").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 16_384))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
