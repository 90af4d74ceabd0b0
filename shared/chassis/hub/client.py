"""HTTP client for the hub's libraries, with limits on time and size.

By default the libraries retry for minutes and wait for as long as a `Retry-After` header says. With
this client all requests within a `limited` block end in time, and an answer such as 429 is not
retried. Importing this module imports `huggingface_hub`.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx2
from huggingface_hub import constants, set_client_factory
from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]
from huggingface_hub.utils._http import default_client_factory

from chassis.hub.errors import BrokenAnswer

MAX_BYTES = 64 * 1024 * 1024
"""Largest answer that is read. Cards, configs and tokenizers have at most a third of it."""
TRANSIENT = (408, 429)
"""Statuses, in addition to 5xx, after which the libraries would retry."""

_deadline: ContextVar[float | None] = ContextVar("hub_deadline", default=None)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Limits the time of all requests that this thread makes within the block.

    Requests raise BrokenAnswer when the time is over.
    """
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def _left() -> float:
    """Returns the seconds until the deadline, or the libraries' own timeout if there is none.

    Raises BrokenAnswer after the deadline.
    """
    deadline = _deadline.get()
    if deadline is None:
        return float(constants.HF_HUB_DOWNLOAD_TIMEOUT)
    if (left := deadline - time.monotonic()) <= 0:
        raise BrokenAnswer("it takes too long")
    return left


class _Body(httpx2.SyncByteStream):
    """Body of an answer, limited in time and size."""

    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in self._stream:
            _left()
            size += len(part)
            if size > MAX_BYTES:
                raise BrokenAnswer(f"it sends more than {MAX_BYTES} bytes")
            yield part

    def close(self) -> None:
        self._stream.close()


def _before(request: httpx2.Request) -> None:
    left = _left()
    asked = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {
        phase: min(asked.get(phase) or left, left) for phase in ("connect", "read", "write", "pool")
    }
    # The token is for the configured hub and its dataset viewer only.
    hub = httpx2.URL(constants.ENDPOINT)
    hosts = (hub.host, f"datasets-server.{hub.host}") if has_viewer() else (hub.host,)
    same_origin = (request.url.scheme, request.url.port) == (hub.scheme, hub.port)
    if not same_origin or request.url.host not in hosts:
        request.headers.pop("authorization", None)


def _after(response: httpx2.Response) -> None:
    assert isinstance(response.stream, httpx2.SyncByteStream)
    response.stream = _Body(response.stream)
    if response.status_code in TRANSIENT or response.status_code >= 500:
        response.read()
        hf_raise_for_status(response)


def has_viewer() -> bool:
    """Tells whether the hub has a dataset viewer. Mirrors have none, and to resolve the name of
    theirs may take longer than the time limit."""
    return httpx2.URL(constants.ENDPOINT).host.endswith("huggingface.co")


def log_like_us(library: str) -> None:
    """Sends the library's log lines to our handler, which masks secrets."""
    logger = logging.getLogger(library)
    logger.handlers.clear()
    logger.propagate = True


def _client() -> httpx2.Client:
    client = default_client_factory()
    hooks = client.event_hooks
    client.event_hooks = {
        "request": [*hooks["request"], _before],
        "response": [*hooks["response"], _after],
    }
    return client


set_client_factory(_client)
log_like_us("huggingface_hub")
for name in ("httpx2", "httpcore2"):
    # They log the URL of each request, and a signed URL is enough to read a file.
    logging.getLogger(name).setLevel(logging.WARNING)
# The Rust downloader does not use this client, and so has no limits.
constants.HF_HUB_DISABLE_XET = True
