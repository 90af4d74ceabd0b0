"""Settings of a service process, read from the environment once at start.

Variables of the studio's own start with `FTS_`. Every setting has a default that suits one machine.
"""

import os
import sys
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import AliasChoices, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from chassis import addresses
from ft.job_protocol.variables import HUB_TOKEN, PROJECT_ID

WORKSPACE_PROJECT_DIR = Path("/home/cdsw")
"""Where a Cloudera AI workspace mounts the project for every workload."""


def sqlite_url(file: Path) -> str:
    """The URL of a SQLite file, whatever characters its path has."""
    return f"sqlite:///{quote(str(file), errors='surrogateescape')}"


class Settings(BaseSettings):
    """Settings of one service process."""

    model_config = SettingsConfigDict(env_prefix="FTS_", extra="ignore")

    service: str
    """The service's own name, such as `datasets`; given by its `__main__`, not by the user."""
    home: Path = Path(".fts")
    """Folder of the studio's state: databases, sockets, logs."""
    project_dir: Path | None = None
    """Folder that the studio and its jobs share; every `location` is relative to it."""
    extra_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    """Further folders that a `location` may lie in, separated by the path separator."""
    run_dir: Path | None = None
    """Folder of unix sockets and address files; `<home>/run` if not set."""
    default_listen: str = ""
    """Address to listen on if `listen` is not set; given by its `__main__`."""
    listen: str = ""
    """Address to listen on: `host:port`, or `unix:<path>` with the path unquoted. If not set,
    `default_listen`, or `<run_dir>/<service>.sock`."""
    database_url: str = Field(default="", repr=False)
    """SQLAlchemy URL; `<home>/<service>.db` (SQLite) if not set. PostgreSQL gets a schema each."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    grace_seconds: float = Field(default=10.0, gt=0)
    """Time that calls in flight have to finish after SIGTERM."""
    deadline_seconds: float = Field(default=30.0, gt=0)
    """Deadline of a call whose caller set none."""
    peer_wait_seconds: float = Field(default=2.0, gt=0)
    """Time to wait for a peer that does not answer."""
    workspace_request_seconds: float = Field(default=15.0, gt=0)
    """Time to wait for the workspace's answer to one request. Longer limits are multiples of it:
    see `jobs.building`."""
    retry_pause_seconds: float = Field(default=10.0, gt=0)
    """Pause before a job's second attempt; each further pause is twice as long."""
    import_grace_seconds: float = Field(default=60.0, gt=0)
    """Time without activity after which an undecided import is given up."""
    repeat_days: float = Field(default=30.0, gt=0, le=36_500)
    """Time for which a request to add something can be repeated with its id."""
    max_concurrent_rpcs: int = Field(default=256, gt=0)
    """Most calls at a time; more are refused at once with RESOURCE_EXHAUSTED."""
    hub_seconds: float = Field(default=20.0, gt=0)
    """Time limit for all requests to the hub that one call makes."""
    hub_questions: int = Field(default=8, gt=0)
    """Most calls that wait for the hub at a time; more are refused with RESOURCE_EXHAUSTED."""
    hub_token: str = Field(
        default="",
        repr=False,
        validation_alias=AliasChoices(HUB_TOKEN, "hub_token"),
    )
    """Token for gated data and models on the hub."""

    @classmethod
    def load(cls, service: str, default_listen: str = "") -> "Settings":
        """The settings of the service of that name.

        Ends the process with a line that names the variables if one cannot be used.
        """
        roots = os.environ.get("FTS_EXTRA_ROOTS", "")
        extra = tuple(Path(part) for part in roots.split(os.pathsep) if part)
        try:
            return cls(service=service, extra_roots=extra, default_listen=default_listen)
        except ValidationError as error:
            faults = "; ".join(
                f"FTS_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors()
            )
            sys.exit(f"{service}: {faults}")

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
