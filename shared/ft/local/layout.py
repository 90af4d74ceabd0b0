"""What the supervisor runs: the studio's processes, their environment and its own config file."""

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
START_SECONDS = 5
"""A process that dies sooner has failed to start; to import what it needs takes a second or two."""
STOP_SECONDS = 15
"""How long a process may take to stop; the services give calls in flight 10."""

_COMMENT = re.compile(r"\s[#;]|[\r\n]")
"""Characters that end a value in the supervisor's config file."""
_PROGRAM = """
[program:{name}]
command={python} -m services.{name}
environment={environment}
priority={priority}
autostart=false
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
"""


def process_names(setup: Setup) -> tuple[str, ...]:
    """The studio's processes, in the order in which they are shown."""
    return ALL_PROCESSES[1:] if setup.workspace else ALL_PROCESSES


def start_order(setup: Setup) -> tuple[tuple[str, ...], ...]:
    """What is started together, one group after the other has come to serve.

    The services find each other in any order. The workbench comes first all the same: once it
    answers, the facade's first try tells it the studio's address, without which no job can run.
    """
    services = (*DOMAINS, INSPECTION, FACADE)
    return (services,) if setup.workspace else ((WORKBENCH,), services)


def trainer_python(setup: Setup) -> str:
    """The interpreter that runs jobs: `.venv-trainer` beside this environment if there is none set.

    Where that is not there either it is this interpreter, which can run what needs no torch.
    """
    beside = Path(sys.prefix).parent / ".venv-trainer" / "bin" / "python"
    return setup.trainer_python or str(beside if beside.exists() else sys.executable)


def supervisor_config(home: Home, setup: Setup) -> str:
    """The supervisor's config file. It holds paths and no settings that could be secret.

    Raises BadSetting for a path outside of the home that the file cannot hold.
    """
    is_inside = home.run_dir.is_relative_to(home.path)
    head = _SUPERVISOR.format(
        run=f"%(here)s/{home.run_dir.name}" if is_inside else _in_config(str(home.run_dir))
    )
    python = _in_config(shlex.quote(sys.executable))
    programs = (
        _PROGRAM.format(
            name=name,
            python=python,
            environment=f'FTS_LISTEN="{_listen(setup)}"' if name == FACADE else "",
            priority=priority,
            start_seconds=START_SECONDS,
            stop_seconds=STOP_SECONDS,
        )
        for priority, name in enumerate(process_names(setup), start=1)
    )
    return head + "".join(programs)


def _in_config(path: str) -> str:
    if comment := _COMMENT.search(path):
        raise BadSetting(f"{path}: must not contain {comment[0]!r}: rename a folder of it")
    return path.replace("%", "%%")


def environment(home: Home, setup: Setup, outer: Mapping[str, str]) -> dict[str, str]:
    """The environment of all processes: the user's own, less what points to other studios."""
    ours = {name: value for name, value in outer.items() if not _misleading(name)}
    ours["FTS_HOME"] = str(home.path)
    ours["FTS_RUN_DIR"] = str(home.run_dir)
    if setup.project:
        ours["FTS_PROJECT_DIR"] = setup.project
    if not setup.workspace:
        ours |= {
            variables.PROJECT_ID: PROJECT_ID,
            variables.API_URL: f"http://127.0.0.1:{setup.workbench_port}",
            variables.RUN_ADDRESS: reachable(_host(setup)).strip("[]"),
            "FTS_WORKSPACE_KEY_FILE": str(home.workbench_key),
            "FTS_WORKBENCH_PORT": str(setup.workbench_port),
            "FTS_WORKBENCH_PROJECT_ID": PROJECT_ID,
            "FTS_WORKBENCH_URL_FILE": str(home.workbench_url),
            "FTS_WORKBENCH_KEY_FILE": str(home.workbench_key),
            "FTS_WORKBENCH_PYTHON": trainer_python(setup),
        }
        ours.pop(variables.API_KEY, None)
    return ours


def _listen(setup: Setup) -> str:
    return f"{_host(setup)}:{setup.facade_port}"


def _host(setup: Setup) -> str:
    return setup.listen.rpartition(":")[0]


def _misleading(name: str) -> bool:
    return name == "FTS_LISTEN" or (name.startswith("FTS_") and name.endswith("_ADDRESS"))


def log_tail(home: Home, process: str, lines: int = 8) -> str:
    """The last lines of what a process wrote, to show why it does not run."""
    try:
        with (home.logs / f"{process}.log").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 16_384))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
