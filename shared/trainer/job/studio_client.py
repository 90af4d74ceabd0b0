"""The studio's client in a job: finds the studio, and calls it again while it is away.

A studio that starts writes its address into the environment of the workspace project. A run gets
the address of its start, so it asks the workspace for the present one when a call fails.
"""

import http.client
import json
import logging
import re
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar
from urllib.parse import quote

import grpc

from ft.channel import may_repeat
from ft.client import FineTuningStudioClient, StudioError
from ft.job_protocol import variables
from ft.rpcs import Rpcs
from ft.services import METHODS
from trainer.errors import ArgumentsError

logger = logging.getLogger(__name__)

T = TypeVar("T")
CALL_SECONDS = 60.0
"""Deadline of a call."""
PATIENCE_SECONDS = 120.0
"""Time for which calls are repeated while the studio is away."""
UNDECIDED = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
)
"""Statuses that leave open whether a call was served."""
_WORKSPACE_SECONDS = 5.0
_MAX_PROJECT_BYTES = 1024 * 1024
_API_SUFFIX = re.compile(r"(/api/v\d+)?/*$")
"""The workspace's address may end in a version of its API."""


class StudioConnection:
    """A connection to the studio that can follow it to another address.

    Begins with the address in `environment`, which was right when the run was started; without one,
    with that in the workspace project. Raises ArgumentsError if neither has one.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        timeout: float = CALL_SECONDS,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`timeout` and `metadata` as in `FineTuningStudioClient`."""
        self._environment = environment
        self._timeout = timeout
        self._metadata = metadata
        known = environment.get(variables.STUDIO_IP), environment.get(variables.STUDIO_PORT)
        ip, port = known if all(known) else published_address(environment) or known
        if not (ip and port):
            raise ArgumentsError(
                f"The studio's address is not known: neither the job nor the project's environment "
                f"has {variables.STUDIO_IP} and {variables.STUDIO_PORT}, which the studio writes "
                "there when it starts. Somebody has changed the environment since: restart the "
                "studio's facade (`fts down` and `fts up`), then start the job again."
            )
        self.client = self._open(ip, port)

    def _open(self, ip: str, port: str) -> FineTuningStudioClient:
        return FineTuningStudioClient(ip, port, timeout=self._timeout, metadata=self._metadata)

    def follow(self) -> bool:
        """Looks up the studio's address. Returns True if it has changed; `client` is then new."""
        found = published_address(self._environment)
        if found is None:
            return False
        try:
            client = self._open(*found)
        except ValueError:
            return False
        moved = client.address != self.client.address
        if moved:
            logger.info("The studio is at %s now.", client.address)
            self.client, client = client, self.client
        client.close()
        return moved

    def close(self) -> None:
        """Ends calls in flight."""
        self.client.close()


def published_address(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """The studio's IP and port in the environment of the workspace project.

    `environment` is the run's own, with the workspace's address and key. Returns None if the
    workspace cannot be asked, or does not know.
    """
    url = environment.get(variables.API_URL, "").strip()
    project, key = environment.get(variables.PROJECT_ID, ""), environment.get(variables.API_KEY, "")
    if not (url.startswith(("http://", "https://")) and project and key):
        return None
    request = urllib.request.Request(  # noqa: S310 - one of the two schemes
        f"{_API_SUFFIX.sub('', url)}/api/v2/projects/{quote(project, safe='')}",
        headers={"Authorization": f"Bearer {key}"},
    )
    # Without a proxy, as the workspace's own client asks: a proxy is for addresses outside.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_WORKSPACE_SECONDS) as answer:
            found = json.loads(json.loads(answer.read(_MAX_PROJECT_BYTES))["environment"])
        return str(found[variables.STUDIO_IP]), str(found[variables.STUDIO_PORT])
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, RecursionError):
        return None


def pauses(first: float = 0.5, longest: float = 5.0) -> Iterator[float]:
    """Yields seconds to wait before each further try, without end: each twice the one before."""
    while True:
        yield first
        first = min(2 * first, longest)


def retry(call: Callable[[], T], patience: float, follow: Callable[[], bool] = lambda: False) -> T:
    """Repeats a call while the studio is away, for up to `patience` seconds. Returns its result.

    Also repeats it when `follow` says that the studio has moved: a refusal counts only if it comes
    from where the studio is now. Raises the last StudioError.
    """
    deadline = time.monotonic() + patience
    for pause in pauses():
        try:
            return call()
        except StudioError as error:
            away = error.code in UNDECIDED
            if not follow() and (not away or time.monotonic() + pause > deadline):
                raise
            logger.warning("The studio did not answer, trying again: %s", error)
        time.sleep(pause)
    raise AssertionError("pauses never end")


class StudioClient(Rpcs):
    """Calls the studio for a job, as `trainer.job.studio.Studio` says.

    Calls that may be sent twice are repeated while the studio is away, so that its restart does not
    cost a job. Raises ArgumentsError if its address is not known.
    """

    def __init__(
        self, environment: Mapping[str, str], *, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._connection = StudioConnection(environment)
        self._patience = patience

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def _unary(self, method: str, request: Any, timeout: float | None) -> Any:
        def call() -> Any:
            return self._connection.client._unary(method, request, timeout)

        if not may_repeat(METHODS[method]):
            # A caller that repeats it has to check first whether it was served.
            return call()
        return retry(call, self._patience, self._connection.follow)

    def _stream(
        self, method: str, request: Any, timeout: float | None
    ) -> Generator[Any, None, None]:
        return self._connection.client._stream(method, request, timeout)

    def _items(self, method: str, request: Any) -> Iterator[Any]:
        return self._connection.client._items(method, request)
