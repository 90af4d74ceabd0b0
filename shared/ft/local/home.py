"""The folder of a studio on this machine, and what it remembers from one start to the next."""

import fcntl
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ft.local.errors import BadSetting

MAX_SOCKET_PATH = 107
"""What fits into sockaddr_un on Linux, less the final NUL."""
LONGEST_SOCKET = "supervisor.sock.4194304"
"""The supervisor binds its socket under a name that ends in its pid, and then renames it."""
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, and those that turn the direction of a text; bytes that are no UTF-8."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How a studio is run. Kept in its home, so that the next start is like the last."""

    listen: str
    """Where the facade listens, `host:port`, as the user said it; port 0 leaves it to us."""
    project: str
    """The project directory, absolute; empty leaves it to the workspace."""
    trainer_python: str
    """The interpreter that runs jobs; empty for the one that belongs to the studio."""
    workspace: bool
    """Jobs go to the workspace that the environment names, in place of the local workbench."""
    facade_port: int = 0
    """The port that it listens on: chosen once, so that a restart keeps the studio's address."""
    workbench_port: int = 0
    """Port of the local workbench; 0 if there is none."""


class Home:
    """Paths in a studio's folder. Nothing is made before `prepare`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder.absolute()
        require_plain("home", self.path)
        self.logs = self.path / "logs"
        self.run_dir = _run_dir(self.path)
        self.supervisor_config = self.path / "supervisord.conf"
        self.supervisor_socket = self.run_dir / "supervisor.sock"
        self.supervisor_pid = self.run_dir / "supervisord.pid"
        self.supervisor_log = self.logs / "supervisord.log"
        self.workbench_url = self.path / "workbench.url"
        self.workbench_key = self.path / "workbench.key"
        self._setup = self.path / "studio.json"

    def prepare(self) -> None:
        """Makes the folders, for the user alone.

        Raises BadSetting if they cannot be made or belong to someone else.
        """
        for folder in (self.path, self.logs, self.run_dir):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                owner = folder.lstat().st_uid
            except OSError as error:
                raise BadSetting(f"home: {error.strerror}: {folder}") from None
            if owner != os.getuid():
                raise BadSetting(f"home: {folder} belongs to another user")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps two commands from starting or stopping the same studio at once; waits its turn."""
        with (self.path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def address(self, process: str) -> str | None:
        """Where that process is reached from this machine, once it has said so."""
        try:
            bound = (self.run_dir / f"{process}.address").read_text().strip()
        except FileNotFoundError:
            return None
        host, _, port = bound.rpartition(":")
        return f"{reachable(host)}:{port}"

    def setup(self) -> Setup | None:
        """How the studio was last started here; None if it never was.

        Raises BadSetting if that cannot be read.
        """
        try:
            kept = json.loads(self._setup.read_text())
            known = {field.name for field in fields(Setup)} & set(kept)
            return Setup(**{name: kept[name] for name in known})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise BadSetting(f"home: {self._setup} is damaged: {error}") from None

    def remember(self, setup: Setup) -> None:
        """Keeps how the studio is started."""
        temporary = self._setup.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(setup), indent=2) + "\n")
        temporary.replace(self._setup)


def reachable(host: str) -> str:
    """Where this machine reaches what listens on `host`: all addresses include the loopback's.

    That of IPv4 for `[::]` too, which gRPC binds for both; containers often have no other.
    """
    return "127.0.0.1" if host in ("0.0.0.0", "[::]") else host  # noqa: S104 - not bound to


def require_plain(name: str, path: Path) -> None:
    """Raises BadSetting, with the setting's name, for a path that would not show as what it is."""
    if unfit := _UNFIT.search(str(path)):
        raise BadSetting(f"{name}: {str(path)!r} must not contain {unfit[0]!r}")


def _run_dir(home: Path) -> Path:
    """Folder of the sockets: in the home, unless its path is too long for them or has a comma,
    which gRPC reads as a separator of addresses."""
    inside = home / "run"
    if len(os.fsencode(inside / LONGEST_SOCKET)) <= MAX_SOCKET_PATH and "," not in str(inside):
        return inside
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"fts-{os.getuid()}-{digest}"
