"""The folder of a studio on this machine, with the settings of its last start."""

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
    """Settings of a studio on this machine. Stored in its home for the next start."""

    listen: str
    """Address of the facade as the user gave it, `host:port`; port 0 for any free port."""
    project: str
    """The project directory, absolute; empty in a workspace."""
    trainer_python: str
    """The interpreter that runs jobs; empty for the default."""
    workspace: bool
    """True if jobs run in the workspace that the environment names, not in the workbench."""
    facade_port: int = 0
    """Port of the facade. It is stored, so that a restart keeps the studio's address."""
    workbench_port: int = 0
    """Port of the local workbench; 0 if there is none."""


class Home:
    """Paths in a studio's folder. `prepare` creates the folders."""

    def __init__(self, folder: Path) -> None:
        self.path = folder.absolute()
        require_plain("home", self.path)
        self.logs = self.path / "logs"
        self.run_dir = self.path / "run"
        longest = os.fsencode(self.run_dir / LONGEST_SOCKET)
        # gRPC reads a comma as a separator of addresses.
        if len(longest) > MAX_SOCKET_PATH or "," in str(self.run_dir):
            digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
            self.run_dir = Path(tempfile.gettempdir()) / f"fts-{os.getuid()}-{digest}"
        self.supervisor_config = self.path / "supervisord.conf"
        self.supervisor_socket = self.run_dir / "supervisor.sock"
        self.supervisor_pid = self.run_dir / "supervisord.pid"
        self.supervisor_log = self.logs / "supervisord.log"
        self.workbench_url = self.path / "workbench.url"
        self.workbench_key = self.path / "workbench.key"
        self._setup = self.path / "studio.json"

    def prepare(self) -> None:
        """Creates the folders, accessible for the user only.

        Raises BadSetting if they cannot be created or belong to another user.
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
        """Locks the studio against other commands that start or stop it; waits for the lock."""
        with (self.path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def address(self, process: str) -> str | None:
        """The address of a process for clients on this machine; None if it has not written one."""
        try:
            bound = (self.run_dir / f"{process}.address").read_text().strip()
        except FileNotFoundError:
            return None
        host, _, port = bound.rpartition(":")
        return f"{reachable(host)}:{port}"

    def setup(self) -> Setup | None:
        """The settings of the last start; None if there was none.

        Raises BadSetting if they cannot be read.
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
        """Stores the settings for the next start."""
        temporary = self._setup.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(setup), indent=2) + "\n")
        temporary.replace(self._setup)


def reachable(host: str) -> str:
    """The address at which this machine reaches a server that listens on `host`.

    It is the loopback address for wildcards. `[::]` also becomes IPv4, because gRPC binds both and
    containers often have no IPv6.
    """
    return "127.0.0.1" if host in ("0.0.0.0", "[::]") else host  # noqa: S104 - not bound to


def require_plain(name: str, path: Path) -> None:
    """Raises BadSetting if a path has control characters or others that cannot be shown."""
    if unfit := _UNFIT.search(str(path)):
        raise BadSetting(f"{name}: {str(path)!r} must not contain {unfit[0]!r}")
