"""Settings of a service process, read from the environment once at start.

Variables of the studio's own start with `FTS_`. Every setting has a default that suits one machine.
"""

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

from chassis import addresses
from ft.job_protocol.variables import HUB_TOKEN, PROJECT_ID

T = TypeVar("T")
Number = TypeVar("Number", int, float)
WORKSPACE_PROJECT_DIR = Path("/home/cdsw")
"""Where a Cloudera AI workspace mounts the project for every workload."""


def sqlite_url(file: Path) -> str:
    """The URL of a SQLite file, whatever characters its path has."""
    return f"sqlite:///{quote(str(file), errors='surrogateescape')}"


class SettingError(ValueError):
    """A variable has a value that cannot be used. The message names it."""


# Own readers: pydantic-settings costs each process 8 MB and a sixth of the CPU of its start.


def variable(name: str, read: Callable[[str], T], default: T, *, secret: bool = False) -> T:
    """A field with the value of an environment variable when the settings are made.

    `read` makes the value from the variable's text; it raises ValueError.
    """

    def from_environment() -> T:
        if (text := os.environ.get(name)) is None:
            return default
        try:
            return read(text)
        except ValueError as error:
            raise SettingError(f"{name}: {error}") from None

    made: T = field(default_factory=from_environment, repr=not secret)
    return made


def number(
    kind: type[Number],
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
) -> Callable[[str], Number]:
    """A reader of numbers within bounds."""
    bounds = {"above": above, "of at least": least, "of at most": most}
    words = " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)
    noun = "a whole number" if kind is int else "a number"

    def read(text: str) -> Number:
        try:
            value = kind(text)
        except ValueError:
            value = None
        # Each holds for no "nan".
        if (
            value is None
            or not (above is None or value > above)
            or not (least is None or value >= least)
            or not (most is None or value <= most)
        ):
            raise ValueError(f"must be {noun} {words}, not {text!r}")
        return value

    return read


def one_of(*values: str) -> Callable[[str], Any]:
    """A reader of one of some words."""

    def read(text: str) -> str:
        if text not in values:
            *first, last = values
            raise ValueError(f"must be {', '.join(first)} or {last}, not {text!r}")
        return text

    return read


def matching(pattern: str) -> Callable[[str], str]:
    """A reader of texts that match a pattern."""

    def read(text: str) -> str:
        if not re.search(pattern, text):
            raise ValueError(f"must match {pattern}, not be {text!r}")
        return text

    return read


def _folders(text: str) -> tuple[Path, ...]:
    return tuple(Path(part) for part in text.split(os.pathsep) if part)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of one service process. What is not given comes from the environment."""

    service: str
    """The service's own name, such as `datasets`; given by its `__main__`, not by the user."""
    home: Path = variable("FTS_HOME", Path, Path(".fts"))
    """Folder of the studio's state: databases, sockets, logs."""
    project_dir: Path | None = variable("FTS_PROJECT_DIR", Path, None)
    """Folder that the studio and its jobs share; every `location` is relative to it."""
    extra_roots: tuple[Path, ...] = variable("FTS_EXTRA_ROOTS", _folders, ())
    """Further folders that a `location` may lie in, separated by the path separator."""
    run_dir: Path | None = variable("FTS_RUN_DIR", Path, None)
    """Folder of unix sockets and address files; `<home>/run` if not set."""
    default_listen: str = ""
    """Address to listen on if `listen` is not set; given by its `__main__`."""
    listen: str = variable("FTS_LISTEN", str, "")
    """Address to listen on: `host:port`, or `unix:<path>` with the path unquoted. If not set,
    `default_listen`, or `<run_dir>/<service>.sock`."""
    database_url: str = variable("FTS_DATABASE_URL", str, "", secret=True)
    """SQLAlchemy URL; `<home>/<service>.db` (SQLite) if not set. PostgreSQL gets a schema each."""
    log_level: Literal["debug", "info", "warning", "error"] = variable(
        "FTS_LOG_LEVEL", one_of("debug", "info", "warning", "error"), "info"
    )
    log_format: Literal["json", "console"] = variable(
        "FTS_LOG_FORMAT", one_of("json", "console"), "json"
    )
    grace_seconds: float = variable("FTS_GRACE_SECONDS", number(float, above=0), 10.0)
    """Time that calls in flight have to finish after SIGTERM."""
    deadline_seconds: float = variable("FTS_DEADLINE_SECONDS", number(float, above=0), 30.0)
    """Deadline of a call whose caller set none."""
    peer_wait_seconds: float = variable("FTS_PEER_WAIT_SECONDS", number(float, above=0), 2.0)
    """Time to wait for a peer that does not answer."""
    workspace_request_seconds: float = variable(
        "FTS_WORKSPACE_REQUEST_SECONDS", number(float, above=0), 15.0
    )
    """Time to wait for the workspace's answer to one request. Longer limits are multiples of it:
    see `jobs.building`."""
    retry_pause_seconds: float = variable("FTS_RETRY_PAUSE_SECONDS", number(float, above=0), 10.0)
    """Pause before a job's second attempt; each further pause is twice as long."""
    import_grace_seconds: float = variable("FTS_IMPORT_GRACE_SECONDS", number(float, above=0), 60.0)
    """Time without activity after which an undecided import is given up."""
    repeat_days: float = variable("FTS_REPEAT_DAYS", number(float, above=0, most=36_500), 30.0)
    """Time for which a request to add something can be repeated with its id."""
    max_concurrent_rpcs: int = variable("FTS_MAX_CONCURRENT_RPCS", number(int, above=0), 256)
    """Most calls at a time; more are refused at once with RESOURCE_EXHAUSTED."""
    hub_seconds: float = variable("FTS_HUB_SECONDS", number(float, above=0), 20.0)
    """Time limit for all requests to the hub that one call makes."""
    hub_questions: int = variable("FTS_HUB_QUESTIONS", number(int, above=0), 8)
    """Most calls that wait for the hub at a time; more are refused with RESOURCE_EXHAUSTED."""
    hub_token: str = variable(HUB_TOKEN, str, "", secret=True)
    """Token for gated data and models on the hub."""

    @classmethod
    def load(cls, service: str, default_listen: str = "") -> Self:
        """The settings of the service of that name.

        Ends the process with a line that names the variables if some cannot be used.
        """
        values: dict[str, Any] = {}
        faults = []
        for one in fields(cls):
            if callable(one.default_factory):
                try:
                    values[one.name] = one.default_factory()
                except SettingError as error:
                    faults.append(str(error))
        if faults:
            sys.exit(f"{service}: {'; '.join(faults)}")
        return cls(service=service, default_listen=default_listen, **values)

    @cached_property
    def project(self) -> Path:
        """The project directory, absolute."""
        if self.project_dir is not None:
            return self.project_dir.absolute()
        if os.environ.get(PROJECT_ID) and WORKSPACE_PROJECT_DIR.is_dir():
            return WORKSPACE_PROJECT_DIR
        return (self.home / "project").absolute()

    @cached_property
    def sockets(self) -> Path:
        """Folder of unix sockets and address files, absolute."""
        return (self.run_dir or self.home / "run").absolute()

    @cached_property
    def listen_address(self) -> str:
        """Address on which this service listens, in gRPC's form."""
        return self._address(self.listen or self.default_listen, self.service)

    @cached_property
    def store_url(self) -> str:
        """The database of this service."""
        return self.database_url or sqlite_url(self.home.absolute() / f"{self.service}.db")

    def address_of(self, peer: str) -> str:
        """Address of the service named `peer`: `FTS_<PEER>_ADDRESS`, else its socket.

        As gRPC reads it.
        """
        return self._address(os.environ.get(f"FTS_{peer.upper()}_ADDRESS", ""), peer)

    def _address(self, configured: str, service: str) -> str:
        if configured:
            return addresses.of_setting(configured)
        return addresses.of_socket(self.sockets / f"{service}.sock")
