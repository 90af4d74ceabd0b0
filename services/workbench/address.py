"""The address and the bearer key of the workbench, and the files that publish them."""

import contextlib
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

from services.workbench.settings import WorkbenchSettings

_EVERYWHERE = "0.0.0.0"  # noqa: S104 - compared with, not bound to


class CannotServeError(Exception):
    """The settings do not allow the workbench to serve. The message is for the operator."""


@contextlib.contextmanager
def listening(settings: WorkbenchSettings) -> Iterator[tuple[socket.socket, str]]:
    """Binds a port and publishes the URL; closes the port in the end. Raises CannotServeError."""
    ports = [settings.workbench_port]
    if settings.workbench_port == 0:
        # Runs that outlived the last workbench know its address.
        with contextlib.suppress(OSError, ValueError):
            ports.insert(0, int(settings.url_file.read_text().rpartition(":")[2]))
    for port in ports:
        try:
            listener = socket.create_server((settings.workbench_host, port))
            break
        except OSError as error:
            failure = error
    else:
        address = f"{settings.workbench_host}:{settings.workbench_port}"
        raise CannotServeError(f"cannot listen on {address}: {failure}")
    host, port = listener.getsockname()[:2]
    shown = "127.0.0.1" if host == _EVERYWHERE else host
    url = f"http://{shown}:{port}"
    _replace(settings.url_file, url, 0o644)
    with listener:
        yield listener, url


def read_key(path: Path) -> str:
    """Returns the bearer key in the file, and creates it if it does not exist. Raises
    CannotServeError."""
    if not path.exists():
        _replace(path, secrets.token_hex(32), 0o600)
    key = path.read_text().strip()
    if not key:
        raise CannotServeError(f"FTS_WORKBENCH_KEY_FILE: {path} is empty")
    return key


def _replace(path: Path, content: str, mode: int) -> None:
    """Writes a file completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode)
    temporary.write_text(content)
    temporary.replace(path)
