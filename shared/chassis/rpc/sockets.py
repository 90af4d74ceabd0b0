"""Listening address of a service, locked so that no two processes listen on it."""

import fcntl
import os
from pathlib import Path

from grpc import aio

from chassis import addresses

MAX_SOCKET_PATH = 107
"""What fits into sockaddr_un on Linux, less the final NUL."""


class AddressError(Exception):
    """The service cannot listen where it was told to. The message is for the operator."""


class Listener:
    """The one place that a process serves at, held until it ends.

    gRPC lets a second server take over a unix socket's path silently while the first one lives,
    so the path is guarded by a lock on a file beside it; for TCP the option `grpc.so_reuseport`
    must be 0 (see `server.SERVER_OPTIONS`).
    """

    def __init__(self, address: str, address_file: Path) -> None:
        self._address = address
        self._file = address_file
        self._lock: int | None = None

    def bind(self, server: aio.Server) -> str:
        """Binds the server and publishes the address, which it returns.

        Raises AddressError if another process serves there or the address cannot be used.
        """
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        socket = addresses.socket_of(self._address)
        if socket is not None:
            self._guard(socket)
        try:
            port = server.add_insecure_port(self._address)
        except RuntimeError as error:
            raise AddressError(f"cannot listen on {self._address}: {error}") from error
        bound = self._address
        if socket is None:
            bound = f"{self._address.rpartition(':')[0]}:{port}"
        temporary = self._file.with_suffix(f".{os.getpid()}")
        temporary.write_text(bound)
        temporary.replace(self._file)
        return bound

    def release(self) -> None:
        """Takes the published address back and frees the lock."""
        self._file.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _guard(self, path: Path) -> None:
        if len(os.fsencode(path)) > MAX_SOCKET_PATH:
            raise AddressError(
                f"socket path {path} is longer than {MAX_SOCKET_PATH} bytes; "
                "set FTS_RUN_DIR to a shorter folder"
            )
        if addresses.LISTS in str(path):
            raise AddressError(
                f"socket path {path} contains a comma, which gRPC reads as a separator of "
                "addresses; set FTS_RUN_DIR to a folder without a comma"
            )
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AddressError(f"another process already serves at {path}") from None
