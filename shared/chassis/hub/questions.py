"""Requests to the hub, limited in number and time, with errors translated into refusals.

Needs the extra `fts-chassis[hub]`. The hub's libraries are imported by the first request, because
the import takes a second.
"""

import asyncio
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

from chassis.config import Settings
from chassis.hub.errors import BrokenAnswer, Repository, refusals, unavailable, unsendable
from chassis.rpc import context, errors
from chassis.rpc.server import THREADS

T = TypeVar("T")
ACCESS_FILES = {"model": "config.json", "dataset": "README.md"}
"""File by which to check access to a gated repository, by kind."""
_TOKEN = re.compile(r"[!-~]+")


class Hub:
    """Calls the hub's libraries in threads of its own, so that a slow hub delays nothing else."""

    def __init__(self, settings: Settings) -> None:
        self.token = settings.hub_token.strip() or None
        self._seconds = settings.hub_seconds
        self._limit = settings.hub_questions
        self._free = threading.BoundedSemaphore(self._limit)
        self._threads = ThreadPoolExecutor(self._limit, thread_name_prefix=f"{THREADS}-hub")

    async def ask(self, about: Repository, question: Callable[[], T]) -> T:
        """Returns the result of a function that uses `huggingface_hub` or `datasets`.

        Raises NotFound if the hub has no such repository, PermissionDenied if our token may not
        read it, FailedPrecondition if the libraries' cache cannot be used, Unavailable if there is
        no answer within `Settings.hub_seconds` and the call's own deadline, ResourceExhausted if
        too many questions are open, and what else the function raises.
        """
        if self.token and not _TOKEN.fullmatch(self.token):
            # The libraries would fail with a message that holds it.
            raise unsendable(about)
        if not self._free.acquire(blocking=False):
            raise errors.ResourceExhausted(
                f"{self._limit} calls are waiting for the hub, the most at a time; ask about "
                f"{about} again later",
                reason="HUB_BUSY",
            )
        seconds = min(self._seconds, context.current(self._seconds).remaining())
        asked = self._threads.submit(copy_context().run, _bounded, about, question, seconds)
        # When the thread is free again, which may be after the caller has stopped waiting.
        asked.add_done_callback(lambda _: self._free.release())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(asked), seconds)
        except TimeoutError:
            raise unavailable(about, f"no answer within {seconds:.1f} s") from None

    async def close(self) -> None:
        """Cancels requests that have not begun."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def require(self, about: Repository) -> str:
        """Returns the commit that is read, or an empty text if the hub does not state it.

        Raises if the repository does not exist or our token may not read its files. To be called
        within `ask`.
        """
        from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_url
        from huggingface_hub.errors import HFValidationError, RemoteEntryNotFoundError

        try:
            info = HfApi().repo_info(
                about.name,
                repo_type=about.kind,
                revision=about.commit or None,
                token=self.token,
            )
        except (HFValidationError, OSError):
            raise
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise unavailable(about, "its answer is not that of a hub") from error
        commit = str(info.sha or "")
        if not info.gated:
            return commit
        # Everybody may see a gated repository, but not read its files.
        url = hf_hub_url(about.name, ACCESS_FILES[about.kind], repo_type=about.kind)
        with suppress(RemoteEntryNotFoundError):
            get_hf_file_metadata(url, token=self.token)
        return commit

    def file(self, about: Repository, name: str) -> Path:
        """Downloads a file of the repository and returns its path in the cache.

        If the hub does not answer, returns an earlier download. Raises RemoteEntryNotFoundError of
        `huggingface_hub`, which `ask` translates into FailedPrecondition, if the repository has no
        such file. To be called within `ask`.
        """
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HFValidationError

        try:
            return Path(
                hf_hub_download(
                    about.name,
                    name,
                    repo_type=about.kind,
                    revision=about.commit or None,
                    token=self.token,
                )
            )
        except (HFValidationError, OSError):
            raise
        except ValueError as error:
            # The library refuses files of more than 50 GB.
            raise unavailable(about, f"{name} is too large") from error

    def size(self, about: Repository, name: str) -> int:
        """Returns the size in bytes of a file of the repository. To be called within `ask`."""
        from huggingface_hub import get_hf_file_metadata

        size = get_hf_file_metadata(_url(about, name), token=self.token).size
        if size is None:
            raise BrokenAnswer(f"it does not report the size of {name}")
        return size

    def part(self, about: Repository, name: str, offset: int, length: int) -> bytes:
        """Returns `length` bytes of a file of the repository, fewer at its end.

        It never reads more, whatever the hub sends. To be called within `ask`.
        """
        from huggingface_hub.utils import (  # type: ignore[attr-defined]
            build_hf_headers,
            get_session,
            hf_raise_for_status,
        )

        headers = {
            **build_hf_headers(token=self.token),
            "Range": f"bytes={offset}-{offset + length - 1}",
            "Accept-Encoding": "identity",
        }
        url, taken = _url(about, name), bytearray()
        with get_session().stream("GET", url, headers=headers, follow_redirects=True) as response:
            if response.is_error:
                response.read()
            hf_raise_for_status(response)
            if offset and response.status_code != HTTPStatus.PARTIAL_CONTENT:
                raise BrokenAnswer("it does not support requests for parts of files")
            for part in response.iter_bytes():
                taken += part
                if len(taken) >= length:
                    break
        return bytes(taken[:length])


def _url(about: Repository, name: str) -> str:
    from huggingface_hub import hf_hub_url

    return hf_hub_url(about.name, name, repo_type=about.kind, revision=about.commit or None)


def _bounded(about: Repository, question: Callable[[], T], seconds: float) -> T:
    from chassis.hub import client

    with refusals(about), client.limited(seconds):
        return question()
