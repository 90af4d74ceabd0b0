"""Where the workspace is, how it is reached, and what is logged of that."""

from __future__ import annotations

import copy
import logging
import multiprocessing
import re
import sys
from pathlib import Path
from typing import Any, ClassVar

import urllib3

DEFAULT_TIMEOUT = (10.0, 60.0)
"""Seconds to wait for a connection, and for the next byte of an answer."""
KEY_HEADER = "authorization"
"""Name of the workspace's key in `Configuration.api_key`, and of the header that it goes into."""
_POOL_PER_CPU = 5
_API_SUFFIX = re.compile(r"(/api/v\d+)?/*$")


def workspace_host(url: str) -> str:
    """Return the workspace's own address.

    A workspace tells its sessions an address that ends in an API version (`/api/v1`), while the
    paths of this client carry theirs; people add slashes of their own.
    """
    return _API_SUFFIX.sub("", url.strip().rstrip("/"))


class Configuration:
    """Connection settings of an `ApiClient`, which reads them when it is made.

    `host` is the workspace's address without an API path, `proxy` the address of an HTTP proxy.
    `verify_ssl`, `ssl_ca_cert` (a PEM file), `assert_hostname`, `cert_file` and `key_file` govern
    TLS; `timeout` is (connect, read) in seconds. `api_key` and `api_key_prefix` are by the name
    of their header: `api_key["authorization"]` with the prefix `Bearer` is the workspace's key.
    `safe_chars_for_path_param` are characters that path parameters keep as they are.

    With `debug`, requests are logged, to `logger_file` or the standard error output. Headers and
    bodies are not, because they hold keys.
    """

    _default: ClassVar[Configuration | None] = None

    def __init__(self, host: str | None = None) -> None:
        self.host = host or "http://localhost"
        if self._default is not None:
            kept = {"host": host} if host else {}
            vars(self).update({k: copy.copy(v) for k, v in vars(self._default).items()} | kept)
            return
        self.temp_folder_path: str | None = None
        self.api_key: dict[str, str] = {}
        self.api_key_prefix: dict[str, str] = {}
        self.username = ""
        self.password = ""
        self.verify_ssl = True
        self.ssl_ca_cert: str | None = None
        self.cert_file: str | None = None
        self.key_file: str | None = None
        self.assert_hostname: bool | str | None = None
        self.connection_pool_maxsize = multiprocessing.cpu_count() * _POOL_PER_CPU
        self.proxy: str | None = None
        self.safe_chars_for_path_param = ""
        self.client_side_validation = True
        self.timeout: tuple[float, float] = DEFAULT_TIMEOUT
        self.logger = {
            "package_logger": logging.getLogger("cmlapi"),
            "urllib3_logger": logging.getLogger("urllib3"),
        }
        self.logger_handler: logging.Handler | None = None
        self.logger_format = "%(asctime)s %(levelname)s %(message)s"
        self._logger_file: str | None = None
        self._debug = False

    @classmethod
    def set_default(cls, default: Configuration | None) -> None:
        """Have configurations that are made from now on begin as copies of `default`."""
        cls._default = default

    @property
    def debug(self) -> bool:
        """Whether requests are logged."""
        return self._debug

    @debug.setter
    def debug(self, value: bool) -> None:
        self._debug = value
        for logger in self.logger.values():
            logger.setLevel(logging.DEBUG if value else logging.WARNING)
        if value and self.logger_handler is None:
            self._log_to(logging.StreamHandler())

    @property
    def logger_file(self) -> str | None:
        """File that is logged to; None for the standard error output."""
        return self._logger_file

    @logger_file.setter
    def logger_file(self, value: str | None) -> None:
        self._logger_file = value
        self._log_to(logging.FileHandler(Path(value)) if value else logging.StreamHandler())

    @property
    def logger_format(self) -> str:
        """Format of log lines, in the words of `logging.Formatter`."""
        return self._logger_format

    @logger_format.setter
    def logger_format(self, value: str) -> None:
        self._logger_format = value
        self.logger_formatter = logging.Formatter(value)
        if self.logger_handler is not None:
            self.logger_handler.setFormatter(self.logger_formatter)

    def _log_to(self, handler: logging.Handler) -> None:
        handler.setFormatter(self.logger_formatter)
        for logger in self.logger.values():
            if self.logger_handler is not None:
                logger.removeHandler(self.logger_handler)
            logger.addHandler(handler)
        self.logger_handler = handler

    def get_api_key_with_prefix(self, identifier: str) -> str | None:
        """Return the key of that name with its prefix, None if there is none; case is no matter."""
        key = _named(self.api_key, identifier)
        prefix = _named(self.api_key_prefix, identifier)
        return f"{prefix} {key}" if key and prefix else key

    def get_basic_auth_token(self) -> str | None:
        """Return the header of basic authentication with `username` and `password`."""
        headers = urllib3.util.make_headers(basic_auth=f"{self.username}:{self.password}")
        return headers.get("authorization")

    def auth_settings(self) -> dict[str, dict[str, Any]]:
        """Return how a request is authenticated, by the name of the scheme."""
        value = self.get_api_key_with_prefix(KEY_HEADER)
        return {
            "BearerAuth": {"type": "api_key", "in": "header", "key": KEY_HEADER, "value": value}
        }

    def to_debug_report(self) -> str:
        """Return what whoever looks into a fault of the client needs to know."""
        return (
            "Python SDK Debug Report:\n"
            f"OS: {sys.platform}\nPython Version: {sys.version}\nVersion of the API: v2"
        )


def _named(values: dict[str, str], identifier: str) -> str | None:
    return next((v for name, v in values.items() if name.lower() == identifier.lower()), None)
