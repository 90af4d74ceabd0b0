"""The HTTP client that the hub's libraries work with here.

Left alone, they repeat a request for minutes and wait for as long as a `Retry-After` says. This one
holds everything that is asked within a block to the block's time, and takes an answer that says
"not now" for an answer. Importing this imports `huggingface_hub`.
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
"""Largest answer that is taken. Cards, configs and tokenizers have a third of it at most."""
NOT_NOW = (408, 429)
"""Answers, beside 5xx, that the libraries would wait after."""

_deadline: ContextVar[float | None] = ContextVar("hub_deadline", default=None)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Within the block, requests of this thread end after that time; then BrokenAnswer."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def _left() -> float:
    """Seconds until the deadline; the libraries' usual ones where there is none."""
    deadline = _deadline.get()
    if deadline is None:
        return float(constants.HF_HUB_DOWNLOAD_TIMEOUT)
    if (left := deadline - time.monotonic()) <= 0:
        raise BrokenAnswer("it takes too long")
    return left


class _Body(httpx2.SyncByteStream):
    """An answer's body, as far as time and space allow."""

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
    if not _is_hub(request.url):
        request.headers.pop("authorization", None)


def _after(response: httpx2.Response) -> None:
    assert isinstance(response.stream, httpx2.SyncByteStream)
    response.stream = _Body(response.stream)
    if response.status_code in NOT_NOW or response.status_code >= 500:
        response.read()
        hf_raise_for_status(response)


def _is_hub(url: httpx2.URL) -> bool:
    """Whether the URL is the configured hub's own, or that of its dataset viewer."""
    hub = httpx2.URL(constants.ENDPOINT)
    hosts = (hub.host, f"datasets-server.{hub.host}") if has_viewer() else (hub.host,)
    return (url.scheme, url.port) == (hub.scheme, hub.port) and url.host in hosts


def has_viewer() -> bool:
    """Whether the hub has a dataset viewer beside it. Mirrors have none, and to look for theirs by
    name may take longer than a question may."""
    return httpx2.URL(constants.ENDPOINT).host.endswith("huggingface.co")


def log_like_us(library: str) -> None:
    """Has the library's log lines written as ours are, with secrets masked."""
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
    # They log each request with its address, which in a storage is all that it takes to read it.
    logging.getLogger(name).setLevel(logging.WARNING)
# Its own downloader, in Rust, knows nothing of the limits here.
constants.HF_HUB_DISABLE_XET = True
