"""Starts the studio on this machine, stops it, and says how its processes are."""

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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ft import health
from ft.job_protocol import variables
from ft.local import layout
from ft.local.errors import AlreadyRunning, BadSetting, NotServing
from ft.local.home import Home, Setup, require_plain
from ft.local.leftovers import end_leftovers
from ft.local.supervisor import POLL_SECONDS, Process, Supervisor
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
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asks for; None leaves it as it was, or to the default."""

    listen: str | None = None
    project: Path | None = None
    trainer_python: Path | None = None
    workspace: bool | None = None


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """How one process is."""

    name: str
    process: Process
    health: str
    """SERVING, NOT_SERVING, UNREACHABLE, or SERVICE_UNKNOWN."""


def up(home: Home, wanted: Wanted, wait_seconds: float) -> str:
    """Makes the studio run and returns the facade's address once it serves.

    One that runs already is left as it is, apart from processes that had been given up. Raises
    AlreadyRunning if it runs with other settings, BadSetting if one cannot be used, and
    NotServing, with the reason, if it does not serve within `wait_seconds`.
    """
    home.prepare()
    deadline = time.monotonic() + wait_seconds
    with home.locked():
        supervisor = Supervisor(home)
        if supervisor.running():
            setup = _as_running(home, wanted)
        else:
            end_leftovers(home)
            setup = _setup(home, wanted)
            _launch(home, setup, supervisor)
        for names in layout.start_order(setup):
            _start(supervisor, names)
            _wait_until_serving(home, supervisor, names, deadline)
    address = facade_address(home)
    assert address is not None  # or it would not serve
    return address


def down(home: Home) -> bool:
    """Stops every process of the studio; returns whether there was anything to stop.

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
    """How every process is, in the order in which they start; nothing if the studio is down."""
    setup = home.setup()
    processes = Supervisor(home).processes()
    if setup is None or not processes:
        return []
    unknown = Process(state="UNKNOWN", pid=0, uptime=0)
    return [
        ProcessReport(name, processes.get(name, unknown), _health(home, name))
        for name in layout.process_names(setup)
    ]


def no_trainer(home: Home, wait_seconds: float = 0.0) -> str:
    """Reason why the workbench cannot run the studio's own scripts; empty if it can, or if unknown.

    One that has just been started tries to import the trainer, for which is waited that long.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            url = f"{home.workbench_url.read_text().strip()}/healthz"
            with _opener().open(url, timeout=2.0) as said:
                known = json.load(said)
            why, checked = str(known.get("no_trainer") or ""), known.get("trainer_checked", True)
        except (OSError, ValueError, AttributeError):
            return ""
        if why or checked or time.monotonic() >= deadline:
            return why
        time.sleep(POLL_SECONDS)


def facade_address(home: Home) -> str | None:
    """Where the studio of this home is reached; None if it does not run."""
    return home.address(layout.FACADE)


def _as_running(home: Home, wanted: Wanted) -> Setup:
    setup = home.setup()
    if setup is None:
        raise AlreadyRunning(f"a studio of unknown settings runs in {home.path}; `fts down` first")
    for option, asked, given in _options(wanted, setup):
        if asked is not None and asked != given:
            raise AlreadyRunning(
                f"the studio in {home.path} runs with {option} {given}; "
                f"`fts down` first to run it with {asked}"
            )
    return setup


def _options(wanted: Wanted, setup: Setup) -> Iterator[tuple[str, object, object]]:
    yield "--listen", wanted.listen, setup.listen
    yield "--project", _text(wanted.project), setup.project
    yield "--trainer-python", _text(wanted.trainer_python), layout.trainer_python(setup)
    yield "--workspace", wanted.workspace, setup.workspace


def _setup(home: Home, wanted: Wanted) -> Setup:
    """What is asked for, else what was there last time, else the defaults."""
    last = home.setup()
    workspace = wanted.workspace if wanted.workspace is not None else bool(last and last.workspace)
    if last is None or last.workspace is not workspace:
        last = _defaults(home, workspace)
    listen = wanted.listen or last.listen
    host, port = _parsed(listen)
    setup = Setup(
        listen=listen,
        project=_text(wanted.project) or last.project,
        trainer_python=_text(wanted.trainer_python) or last.trainer_python,
        workspace=workspace,
    )
    _check(setup)
    return replace(
        setup,
        facade_port=_usable_port(host, port) if port else _free_port(host, last.facade_port),
        workbench_port=0 if workspace else _free_port("127.0.0.1", last.workbench_port),
    )


def _defaults(home: Home, workspace: bool) -> Setup:
    return Setup(
        listen=WORKSPACE_LISTEN if workspace else DEFAULT_LISTEN,
        project="" if workspace else str(home.path / "project"),
        trainer_python="",
        workspace=workspace,
    )


def _text(path: Path | None) -> str | None:
    return str(path.absolute()) if path else None


def _check(setup: Setup) -> None:
    require_plain("--project", Path(setup.project))
    if not os.access(layout.trainer_python(setup), os.X_OK):
        raise BadSetting(
            f"--trainer-python: {layout.trainer_python(setup)} is not an executable file; "
            "`make env` makes an environment with the trainer, .venv-trainer, which is taken if "
            "none is named"
        )
    missing = [name for name in WORKSPACE_VARIABLES if not os.environ.get(name)]
    if setup.workspace and missing:
        raise BadSetting(f"--workspace: not inside a workspace: {', '.join(missing)} not set")
    if importlib.util.find_spec("services") is None:
        raise BadSetting(
            f"the studio's services are not installed for {sys.executable}; "
            "use --server to work with a studio elsewhere"
        )


def _parsed(listen: str) -> tuple[str, int]:
    match = _LISTEN.fullmatch(listen)
    if not match or int(match[2]) > 65535:
        raise BadSetting(f"--listen: {listen!r} is not HOST:PORT")
    return match[1], int(match[2])


def _free_port(host: str, last: int) -> int:
    """The port of last time if it can be had, else any that can."""
    try:
        return _usable_port(host, last)
    except BadSetting:
        return _usable_port(host, 0)


def _usable_port(host: str, port: int) -> int:
    """The port, or any for 0. Raises BadSetting if it cannot be listened on."""
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


def _start(supervisor: Supervisor, names: Sequence[str]) -> None:
    """Starts what does not run, be it that it was not started yet or that it was given up."""
    processes = supervisor.processes()
    for name in names:
        if processes[name].state in ("STOPPED", "EXITED", "FATAL"):
            supervisor.start(name)


def _wait_until_serving(
    home: Home, supervisor: Supervisor, names: Sequence[str], deadline: float
) -> None:
    deaths = _Deaths()
    while waiting := [name for name in names if _health(home, name) != health.SERVING]:
        deaths.note(supervisor.processes())
        if dying := deaths.too_many():
            raise NotServing(_why(home, dying, "dies again and again"))
        if time.monotonic() > deadline:
            raise NotServing(_why(home, waiting, "not within the time that `--wait` gives"))
        time.sleep(POLL_SECONDS)


class _Deaths:
    """Counts how often each process was started anew while it was waited for."""

    TOLERATED = 2

    def __init__(self) -> None:
        self._pids: defaultdict[str, set[int]] = defaultdict(set)
        self._given_up: list[str] = []

    def note(self, processes: Mapping[str, Process]) -> None:
        for name, process in processes.items():
            if process.pid:
                self._pids[name].add(process.pid)
        self._given_up = [name for name, one in processes.items() if one.state == "FATAL"]

    def too_many(self) -> list[str]:
        """Those that have died more often than can be put down to chance, or were given up."""
        dying = [name for name, pids in self._pids.items() if len(pids) > self.TOLERATED + 1]
        return self._given_up or dying


def _why(home: Home, culprits: list[str], when: str) -> str:
    lines = [f"the studio does not serve ({when}): {', '.join(culprits) or 'cause unknown'}"]
    for name in culprits[:2]:
        lines.append(f"--- {home.logs / name}.log ends with")
        lines.append(layout.log_tail(home, name) or "(nothing)")
    return "\n".join([*lines, "`fts status` shows more, `fts down` stops what runs"])


def _health(home: Home, name: str) -> str:
    if name == layout.WORKBENCH:
        return _workbench_health(home)
    address = home.address(name)
    if address is None:
        return health.UNREACHABLE
    return health.check_address(address, STUDIO.full_name if name == layout.FACADE else "")


def _workbench_health(home: Home) -> str:
    try:
        with _opener().open(f"{home.workbench_url.read_text().strip()}/healthz", timeout=2.0):
            return health.SERVING
    except urllib.error.HTTPError:
        return "NOT_SERVING"
    except (OSError, ValueError):
        return health.UNREACHABLE


def _opener() -> urllib.request.OpenerDirector:
    """Asks this machine directly, whatever proxy the environment names."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
