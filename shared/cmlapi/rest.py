"""HTTP transport, and the exception for every answer that is not a success."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import urlencode

import urllib3

from cmlapi.configuration import Configuration

RequestTimeout: TypeAlias = float | tuple[float, float] | None
"""Seconds in all, or (connect, read) seconds; None takes the configuration's."""


class ApiException(Exception):
    """The workspace refused a call or failed at it.

    `status` is the HTTP status (0 where TLS failed before there was one), `reason` its phrase,
    `body` the answer's text and `headers` its headers. The request, and with it the key, is not
    kept.
    """

    def __init__(
        self,
        status: int | None = None,
        reason: str | None = None,
        http_resp: urllib3.BaseHTTPResponse | None = None,
    ) -> None:
        self.status = status if http_resp is None else http_resp.status
        self.reason = reason if http_resp is None else http_resp.reason
        self.body = None if http_resp is None else http_resp.data.decode("utf-8", "replace")
        self.headers = None if http_resp is None else http_resp.headers
        super().__init__(self.status, self.reason)

    def __str__(self) -> str:
        lines = [f"({self.status})", f"Reason: {self.reason}"]
        if self.headers:
            lines.append(f"HTTP response headers: {self.headers}")
        if self.body:
            lines.append(f"HTTP response body: {self.body}")
        return "\n".join(lines) + "\n"


class RESTClientObject:
    """A connection pool to one workspace."""

    def __init__(self, configuration: Configuration) -> None:
        self._timeout = configuration.timeout
        self._pool = urllib3.PoolManager(
            cert_reqs="CERT_REQUIRED" if configuration.verify_ssl else "CERT_NONE",
            ca_certs=configuration.ssl_ca_cert,
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        fields: list[tuple[str, str]],
        body: bytes | None,
        timeout: RequestTimeout,
    ) -> urllib3.BaseHTTPResponse:
        """Send one request and read the whole answer.

        Raises `ApiException` for a status outside 200-299 or a TLS failure. A workspace that
        cannot be reached or that stays silent raises urllib3's own `HTTPError`.
        """
        query = urlencode(fields)
        try:
            response = self._pool.request(
                method,
                f"{url}?{query}" if query else url,
                headers=dict(headers),
                body=body,
                timeout=_urllib3_timeout(timeout or self._timeout),
            )
        except urllib3.exceptions.SSLError as error:
            raise ApiException(status=0, reason=f"{type(error).__name__}: {error}") from error
        if not 200 <= response.status <= 299:
            raise ApiException(http_resp=response)
        return response

    def close(self) -> None:
        """Close the pooled connections."""
        self._pool.clear()


def _urllib3_timeout(timeout: float | tuple[float, float]) -> urllib3.Timeout:
    if isinstance(timeout, tuple):
        return urllib3.Timeout(connect=timeout[0], read=timeout[1])
    return urllib3.Timeout(total=timeout)
