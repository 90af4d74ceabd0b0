"""The clients of Fine Tuning Studio, for scripts and for jobs. `ft.api` has their messages."""

import time
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Self

import grpc

from ft._address import studio_address
from ft._async_client import AsyncFineTuningStudioClient
from ft._calls import (
    CONNECT_SECONDS,
    DEFAULT_TIMEOUT_SECONDS,
    STREAM_SECONDS,
    Calls,
    callables,
    run,
)
from ft._pages import PageRequests
from ft._watch import POLL_SECONDS, Job, JobPoller, get_job, wait_for_job
from ft.channel import MAX_DOCUMENT_BYTES, channel_options
from ft.errors import (
    AbortedError,
    AlreadyExistsError,
    CallCancelledError,
    DeadlineExceededError,
    FailedPreconditionError,
    FieldViolation,
    InternalError,
    InvalidArgumentError,
    JobFailedError,
    NotFoundError,
    PermissionDeniedError,
    ResourceExhaustedError,
    StudioError,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
    code_of,
    from_rpc_error,
)
from ft.proto.fine_tuning_studio_pb2_grpc import FineTuningStudioStub
from ft.rpcs import Rpcs
from ft.services import METHODS, SERVICES

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "AsyncFineTuningStudioClient",
    "CallCancelledError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "FieldViolation",
    "FineTuningStudioClient",
    "InternalError",
    "InvalidArgumentError",
    "JobFailedError",
    "NotFoundError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "StudioError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
]


_AGAIN_SECONDS = 0.05
"""Pause before a server that is going down is asked again."""


class FineTuningStudioClient(Rpcs):
    """Calls a studio. Every RPC is a method: `client.GetModel(GetModelRequest(id=...)).model`.

    Without `server_ip` and `server_port` the client reads FINE_TUNING_SERVICE_IP and
    FINE_TUNING_SERVICE_PORT. An IP may also be a host name. `timeout` is the deadline in seconds
    of calls that have none of their own. `metadata` is sent with every call.

    Calls that change nothing, or that may be sent twice, are repeated if the studio cannot be
    reached for a moment; others are sent once. Raises ValueError if the address is missing or
    wrong. Calls raise `StudioError`, which is a ValueError. Threads can share a client.
    """

    def __init__(
        self,
        server_ip: str | None = None,
        server_port: str | int | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.address = studio_address(server_ip, server_port)
        options = channel_options(*SERVICES, max_bytes=MAX_DOCUMENT_BYTES)
        self.channel = grpc.insecure_channel(self.address, options=options)
        self.stub = FineTuningStudioStub(self.channel)
        self._io = _BlockingIo(self.channel, metadata)
        self._calls = Calls(self._io, self.address, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection and every call in flight."""
        self._io.closed = True
        self.channel.close()

    def wait_until_connected(self, seconds: float = CONNECT_SECONDS) -> None:
        """Waits for a connection to the studio's server, and does not ask for its health.

        Raises UnavailableError if there is none within `seconds`.
        """
        run(self._calls.connected(seconds))

    def get_job(self, job_id: str) -> Job:
        """Returns the job with that id, of any kind. Raises NotFoundError if there is none."""
        return run(get_job(self._calls, job_id))

    def watch_job(self, job_id: str, *, poll: float = POLL_SECONDS) -> Iterator[Job]:
        """Yields a job of any kind now, then every `poll` seconds, and last when it has ended.

        Waits up to a minute for a studio that cannot be reached. Raises UnimplementedError if the
        studio keeps no states of jobs.
        """
        poller = JobPoller(self._calls, job_id, poll)
        while not poller.ended:
            yield run(poller.poll())

    def wait_for_job(
        self,
        job_id: str,
        timeout: float | None = None,
        *,
        poll: float = POLL_SECONDS,
        raise_on_failure: bool = True,
    ) -> Job:
        """Waits until a job of any kind has ended, and returns it. Asks every `poll` seconds.

        Raises JobFailedError if it has not SUCCEEDED, unless `raise_on_failure` is False, and
        TimeoutError if it has not ended within `timeout` seconds; otherwise as `watch_job`.
        """
        return run(wait_for_job(JobPoller(self._calls, job_id, poll, timeout), raise_on_failure))

    def _unary(self, method: str, request: Any, timeout: float | None) -> Any:
        return run(self._calls.unary(method, request, timeout))

    def _stream(
        self, method: str, request: Any, timeout: float | None
    ) -> Generator[Any, None, None]:
        seconds = STREAM_SECONDS if timeout is None else timeout
        self._calls.require_open()
        responses = self._io.callables[method](request, timeout=seconds, metadata=self._io.metadata)
        try:
            yield from responses
        except grpc.RpcError as error:
            self._calls.require_open()
            raise from_rpc_error(error, METHODS[method], self.address) from None
        finally:
            responses.cancel()

    def _items(self, method: str, request: Any) -> Iterator[Any]:
        pages = PageRequests(request)
        while pages.request is not None:
            yield from pages.items(self._unary(method, pages.request, None))


class _BlockingIo:
    """Input and output that blocks the calling thread: its coroutines never suspend."""

    def __init__(self, channel: grpc.Channel, metadata: Sequence[tuple[str, str]]) -> None:
        self.closed = False
        self.metadata = metadata
        self.callables = callables(channel)
        self._check = channel.unary_unary("/grpc.health.v1.Health/Check", bytes, bytes)

    async def send(self, name: str, request: Any, seconds: float) -> Any:
        return self.callables[name](request, timeout=seconds, metadata=self.metadata)

    async def connect(self, seconds: float) -> bool:
        # Any answer to a call that waits for the connection. The thread in which gRPC watches a
        # blocking channel's state would break, with a traceback, when the channel is closed.
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                self._check(b"", timeout=left, wait_for_ready=True)
                return True
            except grpc.RpcError as error:
                code = code_of(error)
                if code is not grpc.StatusCode.UNAVAILABLE:
                    return code is not grpc.StatusCode.DEADLINE_EXCEEDED
            await self.pause(_AGAIN_SECONDS)
        return False

    async def pause(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))  # noqa: ASYNC251  # see `run`
