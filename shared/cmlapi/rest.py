"""HTTP transport, and the exception for every answer that is not a success."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlencode

import urllib3

from cmlapi.configuration import Configuration

logger = logging.getLogger(__name__)

RequestTimeout: TypeAlias = float | tuple[float, float] | None
"""Seconds in all, or (connect, read) seconds; None takes the configuration's."""
Pairs: TypeAlias = Sequence[tuple[str, Any]] | Mapping[str, Any]


class RESTResponse:
    """An answer: `status`, `reason`, and `data`, its text."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self.urllib3_response = response
        self.status = response.status
        self.reason = response.reason
        self.data = response.data.decode("utf-8", "replace")

    def getheaders(self) -> urllib3.HTTPHeaderDict:
        """Return the answer's headers."""
        return self.urllib3_response.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """Return one header of the answer."""
        return self.urllib3_response.headers.get(name, default)


class ApiException(Exception):
    """The workspace refused a call or failed at it.

    `status` is the HTTP status (0 where there was none: TLS failed, or the answer cannot be read),
    `reason` its phrase, `body` the answer's text and `headers` its headers. The request, and with
    it the key, is not kept.
    """

    def __init__(
        self,
        status: int | None = None,
        reason: str | None = None,
        http_resp: RESTResponse | None = None,
    ) -> None:
        self.status = status if http_resp is None else http_resp.status
        self.reason = reason if http_resp is None else http_resp.reason
        self.body = None if http_resp is None else http_resp.data
        self.headers = None if http_resp is None else http_resp.getheaders()
        super().__init__(self.status, self.reason)

    def __str__(self) -> str:
        lines = [f"({self.status})", f"Reason: {self.reason}"]
        if self.headers:
            lines.append(f"HTTP response headers: {self.headers}")
        if self.body:
            lines.append(f"HTTP response body: {self.body}")
        return "\n".join(lines) + "\n"


class RESTClientObject:
    """A connection pool to one workspace, through the configuration's proxy if it has one."""

    def __init__(
        self, configuration: Configuration, pools_size: int = 4, maxsize: int | None = None
    ) -> None:
        self._timeout = configuration.timeout
        settings: dict[str, Any] = {
            "num_pools": pools_size,
            "maxsize": maxsize or configuration.connection_pool_maxsize,
            "cert_reqs": "CERT_REQUIRED" if configuration.verify_ssl else "CERT_NONE",
            "ca_certs": configuration.ssl_ca_cert,
            "cert_file": configuration.cert_file,
            "key_file": configuration.key_file,
        }
        if configuration.assert_hostname is not None:
            settings["assert_hostname"] = configuration.assert_hostname
        self.pool_manager: urllib3.PoolManager = (
            urllib3.ProxyManager(configuration.proxy, **settings)
            if configuration.proxy
            else urllib3.PoolManager(**settings)
        )

    def request(
        self,
        method: str,
        url: str,
        query_params: Pairs | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        post_params: Pairs | None = None,
        _preload_content: bool = True,
        _request_timeout: RequestTimeout = None,
    ) -> Any:
        """Send one request with a JSON `body` or the fields of a form; return a `RESTResponse`.

        Without `_preload_content`, urllib3's own response is returned, of which nothing was read.
        Raises `ApiException` for a status outside 200-299 or a TLS failure. A workspace that
        cannot be reached or that stays silent raises urllib3's own `HTTPError`.
        """
        query = urlencode(query_params or ())
        sent, content = _content(dict(headers or {}), body, post_params)
        try:
            response = self.pool_manager.request(
                method,
                f"{url}?{query}" if query else url,
                headers=sent,
                timeout=_urllib3_timeout(_request_timeout or self._timeout),
                preload_content=_preload_content,
                **content,
            )
        except urllib3.exceptions.SSLError as error:
            raise ApiException(status=0, reason=f"{type(error).__name__}: {error}") from error
        logger.debug("%s %s: HTTP status %s", method, url, response.status)
        if not 200 <= response.status <= 299:
            raise ApiException(http_resp=RESTResponse(response))
        return RESTResponse(response) if _preload_content else response

    def GET(self, url: str, **arguments: Any) -> Any:  # noqa: N802 - its generator's names
        """Send a GET request, see `request`."""
        return self.request("GET", url, **arguments)

    def HEAD(self, url: str, **arguments: Any) -> Any:  # noqa: N802
        """Send a HEAD request, see `request`."""
        return self.request("HEAD", url, **arguments)

    def OPTIONS(self, url: str, **arguments: Any) -> Any:  # noqa: N802
        """Send an OPTIONS request, see `request`."""
        return self.request("OPTIONS", url, **arguments)

    def DELETE(self, url: str, **arguments: Any) -> Any:  # noqa: N802
        """Send a DELETE request, see `request`."""
        return self.request("DELETE", url, **arguments)

    def POST(self, url: str, **arguments: Any) -> Any:  # noqa: N802
        """Send a POST request, see `request`."""
        return self.request("POST", url, **arguments)

    def PUT(self, url: str, **arguments: Any) -> Any:  # noqa: N802
        """Send a PUT request, see `request`."""
        return self.request("PUT", url, **arguments)

    def PATCH(self, url: str, **arguments: Any) -> Any:  # noqa: N802
        """Send a PATCH request, see `request`."""
        return self.request("PATCH", url, **arguments)

    def close(self) -> None:
        """Close the pooled connections."""
        self.pool_manager.clear()


def _content(
    headers: dict[str, str], body: Any, post_params: Pairs | None
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the headers, and what of the request follows them."""
    kind = next((v for name, v in headers.items() if name.lower() == "content-type"), "")
    if post_params:
        if body is not None:
            raise ValueError("body parameter cannot be used with post_params parameter.")
        kept = {name: v for name, v in headers.items() if name.lower() != "content-type"}
        form = "x-www-form-urlencoded" not in kind
        return kept, {"fields": post_params, "encode_multipart": form}
    if body is None:
        return headers, {}
    content = {} if kind else {"Content-Type": "application/json"}
    raw = isinstance(body, str | bytes) and kind and "json" not in kind
    return headers | content, {"body": body if raw else json.dumps(body).encode()}


def _urllib3_timeout(timeout: float | tuple[float, float]) -> urllib3.Timeout:
    if isinstance(timeout, tuple):
        return urllib3.Timeout(connect=timeout[0], read=timeout[1])
    return urllib3.Timeout(total=timeout)
