"""Where the workspace is and how its certificate is checked."""

from __future__ import annotations

import re

DEFAULT_TIMEOUT = (10.0, 60.0)
"""Seconds to wait for a connection, and for the next byte of an answer."""

_API_SUFFIX = re.compile(r"(/api/v\d+)?/*$")


def workspace_host(url: str) -> str:
    """Return the workspace's own address.

    A workspace tells its sessions an address that ends in an API version (`/api/v1`), while the
    paths of this client carry theirs; people add slashes of their own.
    """
    return _API_SUFFIX.sub("", url.strip().rstrip("/"))


class Configuration:
    """Connection settings of an `ApiClient`.

    `host` is the workspace's address without an API path. `verify_ssl` and `ssl_ca_cert` (a PEM
    file) govern certificate checks; `timeout` is (connect, read) in seconds.
    """

    def __init__(self, host: str = "http://localhost") -> None:
        self.host = host
        self.verify_ssl = True
        self.ssl_ca_cert: str | None = None
        self.timeout: tuple[float, float] = DEFAULT_TIMEOUT
