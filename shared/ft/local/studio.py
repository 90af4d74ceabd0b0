"""Starts and stops the studio on this machine, and reports the state of its processes."""

import importlib.util
import json
import os
import re
import socket
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ft import health
from ft.job_protocol import variables
from ft.local import layout
from ft.local.errors import AlreadyRunning, BadSetting, NotServing
from ft.local.home import Home, Setup, require_plain
from ft.local.leftovers import end_leftovers
from ft.local.supervisor import POLL_SECONDS, ProcessInfo, Supervisor
from ft.services import STUDIO

DEFAULT_LISTEN = "127.0.0.1:50051"
WORKSPACE_LISTEN = "[::]:50051"
"""Inside a workspace, jobs run in other pods and reach the facade over the network."""
WORKSPACE_VARIABLES = (
    variables.PROJECT_ID,
    variables.API_URL,
    variables.API_KEY,
    variables.RUN_ADDRESS,
)
_START_POLL_SECONDS = 0.1
"""Pause between looks at a studio that starts: each takes some of the CPU that it starts with."""
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class SetupOptions:
    """Settings that the user gives. None keeps the last value, or the default."""

    listen: str | None = None
    project: Path | None = None
    trainer_python: Path | None = None
    workspace: bool | None = None


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """State of one process."""

    name: str
    process: ProcessInfo
    health: str
    """SERVING, NOT_SERVING, UNREACHABLE, or SERVICE_UNKNOWN."""


def up(home: Home, options: SetupOptions, wait_seconds: float) -> str:
    """Starts the studio if it does not run, and returns the facade's address when it serves.

    In a running studio, only processes that have failed are started again. Raises AlreadyRunning
    if it runs with other settings, BadSetting for a setting that cannot be used, and NotServing,
    with the reason, if it does not serve within `wait_seconds`.
    """
    home.prepare()
    deadline = time.monotonic() + wait_seconds
    with home.locked():
        supervisor = Supervisor(home)
        if not supervisor.await_stop(2 * layout.STOP_SECONDS):
            raise NotServing(f"the studio does not stop; see {home.supervisor_log}")
        if supervisor.running():
            setup = _running_setup(home, options)
            for name, process in supervisor.processes().items():
                if process.state in ("STOPPED", "EXITED", "FATAL"):
                    supervisor.start(name)
        else:
            end_leftovers(home)
            setup = _new_setup(home, options)
            _launch(home, setup, supervisor)
        _wait_until_serving(home, supervisor, layout.process_names(setup), deadline)
    address = facade_address(home)
    assert address is not None  # or it would not serve
    return address


def down(home: Home) -> bool:
    """Stops all processes of the studio. Returns False if none was running.

    Raises NotServing if it does not stop in time.
    """
    if not home.path.is_dir():
        return False
    home.prepare()
    with home.locked():
        supervisor = Supervisor(home)
        ran = supervisor.running()
        if ran and not supervisor.shutdown(2 * layout.STOP_SECONDS):
            raise NotServing(f"the studio does not stop; see {home.supervisor_log}")
        return bool(end_leftovers(home)) or ran


def status(home: Home) -> list[ProcessReport]:
    """State of each process, in the order of their start; empty if the studio does not run."""
    setup = home.setup()
    processes = Supervisor(home).processes()
    if setup is None or not processes:
        return []
    unknown = ProcessInfo(state="UNKNOWN", pid=0, uptime=0)
    return [
        ProcessReport(name, processes.get(name, unknown), _health(home, name))
        for name in layout.process_names(setup)
    ]


def no_trainer(home: Home, wait_seconds: float = 0.0) -> str:
    """Reason why the workbench cannot run the studio's own scripts; empty if it can, or if unknown.

    Waits up to `wait_seconds` while a workbench that has just started tries to import the trainer.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            url = f"{home.workbench_url.read_text().strip()}/healthz"
            with _opener().open(url, timeout=2.0) as answer:
                known = json.load(answer)
            why, checked = str(known.get("no_trainer") or ""), known.get("trainer_checked", True)
        except (OSError, ValueError, AttributeError):
            return ""
        if why or checked or time.monotonic() >= deadline:
            return why
        time.sleep(POLL_SECONDS)


def facade_address(home: Home) -> str | None:
    """Address of the studio of this home; None if it does not run."""
    return home.address(layout.FACADE)


def _running_setup(home: Home, options: SetupOptions) -> Setup:
    """Settings of the running studio. Raises AlreadyRunning if an option differs from them."""
    setup = home.setup()
    if setup is None:
        raise AlreadyRunning(
            f"a studio with unknown settings runs in {home.path}: stop it with `fts down`"
        )
    for option, given, current in (
        ("--listen", options.listen, setup.listen),
        ("--project", _text(options.project), setup.project),
        ("--trainer-python", _text(options.trainer_python), layout.trainer_python(setup)),
        ("--workspace", options.workspace, setup.workspace),
    ):
        if given is not None and given != current:
            raise AlreadyRunning(
                f"the studio in {home.path} runs with {option} {current}: "
                f"stop it with `fts down` before you start it with {given}"
            )
    return setup


def _new_setup(home: Home, options: SetupOptions) -> Setup:
    """Settings for a start: the options, else those of the last start, else the defaults."""
    last = home.setup()
    workspace = bool(last and last.workspace) if options.workspace is None else options.workspace
    if last is None or last.workspace is not workspace:
        last = Setup(
            listen=WORKSPACE_LISTEN if workspace else DEFAULT_LISTEN,
            project="" if workspace else str(home.path / "project"),
            trainer_python="",
            workspace=workspace,
        )
    listen = options.listen or last.listen
    match = _LISTEN.fullmatch(listen)
    if not match or int(match[2]) > 65535:
        raise BadSetting(f"--listen: {listen!r} is not HOST:PORT")
    host, port = match[1], int(match[2])
    setup = Setup(
        listen=listen,
        project=_text(options.project) or last.project,
        trainer_python=_text(options.trainer_python) or last.trainer_python,
        workspace=workspace,
    )
    _require_usable(setup)
    return replace(
        setup,
        facade_port=_usable_port(host, port) if port else _free_port(host, last.facade_port),
        workbench_port=0 if workspace else _free_port("127.0.0.1", last.workbench_port),
    )


def _text(path: Path | None) -> str | None:
    return str(path.absolute()) if path else None


def _require_usable(setup: Setup) -> None:
    """Raises BadSetting for a setting that cannot be used on this machine."""
    require_plain("--project", Path(setup.project))
    if not os.access(layout.trainer_python(setup), os.X_OK):
        raise BadSetting(
            f"--trainer-python: {layout.trainer_python(setup)} is not an executable file; "
            "`make env` creates .venv-trainer, the environment that is used without this option"
        )
    missing = [name for name in WORKSPACE_VARIABLES if not os.environ.get(name)]
    if setup.workspace and missing:
        raise BadSetting(f"--workspace: this is not a workspace: {', '.join(missing)} not set")
    if importlib.util.find_spec("services") is None:
        raise BadSetting(
            f"the studio's services are not installed for {sys.executable}: "
            "install them, or use --server to work with a studio on another machine"
        )


def _free_port(host: str, last: int) -> int:
    """The last port if it is free, else any free port."""
    try:
        return _usable_port(host, last)
    except BadSetting:
        return _usable_port(host, 0)


def _usable_port(host: str, port: int) -> int:
    """The port, or any free port for 0. Raises BadSetting if the port cannot be used."""
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            raise BadSetting(f"--listen: {host}:{port}: {error.strerror or error}") from None
        return int(probe.getsockname()[1])


def _launch(home: Home, setup: Setup, supervisor: Supervisor) -> None:
    if setup.project:
        Path(setup.project).mkdir(parents=True, exist_ok=True)
    for name in layout.ALL_PROCESSES:
        (home.run_dir / f"{name}.address").unlink(missing_ok=True)
    home.workbench_url.unlink(missing_ok=True)
    home.supervisor_config.write_text(layout.supervisor_config(home, setup))
    home.remember(setup)
    supervisor.launch(layout.environment(home, setup, os.environ))


def _wait_until_serving(
    home: Home, supervisor: Supervisor, names: Sequence[str], deadline: float
) -> None:
    restarts = _RestartCounter()
    waiting = names
    # What serves is not asked again before the others do, and then all once more.
    while waiting := _not_serving(home, waiting) or _not_serving(home, names):
        processes = supervisor.processes()
        if not processes:
            raise supervisor.stopped_meanwhile()
        restarts.count(processes)
        if dying := restarts.too_many():
            raise NotServing(_why(home, dying, "processes end again and again"))
        if time.monotonic() > deadline:
            raise NotServing(_why(home, waiting, "not within the time of --wait"))
        time.sleep(_START_POLL_SECONDS)


def _not_serving(home: Home, names: Sequence[str]) -> list[str]:
    return [name for name in names if _health(home, name) != health.SERVING]


class _RestartCounter:
    """Counts how often each process was started again during the wait."""

    TOLERATED = 2

    def __init__(self) -> None:
        self._pids: defaultdict[str, set[int]] = defaultdict(set)
        self._given_up: list[str] = []

    def count(self, processes: Mapping[str, ProcessInfo]) -> None:
        for name, process in processes.items():
            if process.pid:
                self._pids[name].add(process.pid)
        self._given_up = [name for name, one in processes.items() if one.state == "FATAL"]

    def too_many(self) -> list[str]:
        """Processes that have ended too often, or that the supervisor has given up."""
        dying = [name for name, pids in self._pids.items() if len(pids) > self.TOLERATED + 1]
        return self._given_up or dying


def _why(home: Home, culprits: list[str], when: str) -> str:
    lines = [f"the studio does not serve ({when}): {', '.join(culprits) or 'cause unknown'}"]
    for name in culprits[:2]:
        lines.append(f"--- {home.logs / name}.log ends with")
        lines.append(layout.log_tail(home, name) or "(nothing)")
    return "\n".join([*lines, "`fts status` shows more; `fts down` stops the processes that run"])


def _health(home: Home, name: str) -> str:
    if name == layout.WORKBENCH:
        try:
            with _opener().open(f"{home.workbench_url.read_text().strip()}/healthz", timeout=2.0):
                return health.SERVING
        except urllib.error.HTTPError:
            return "NOT_SERVING"
        except (OSError, ValueError):
            return health.UNREACHABLE
    address = home.address(name)
    if address is None:
        return health.UNREACHABLE
    return health.check_address(address, STUDIO.full_name if name == layout.FACADE else "")


def _opener() -> urllib.request.OpenerDirector:
    """An opener that ignores proxies of the environment."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
