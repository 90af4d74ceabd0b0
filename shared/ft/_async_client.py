"""The client for asyncio. `ft.client` exports it."""

# ruff: noqa: ASYNC109  # A deadline travels with the call, to be kept by every hop.

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import grpc
from grpc import aio

from ft._address import studio_address
from ft._calls import CONNECT_SECONDS, DEFAULT_TIMEOUT_SECONDS, STREAM_SECONDS, Calls, callables
from ft._pages import PageRequests
from ft._watch import POLL_SECONDS, Job, JobPoller, get_job, wait_for_job
from ft.async_rpcs import AsyncRpcs
from ft.channel import MAX_DOCUMENT_BYTES, channel_options
from ft.errors import closed, from_rpc_error
from ft.proto.fine_tuning_studio_pb2_grpc import FineTuningStudioStub
from ft.services import METHODS, SERVICES

if TYPE_CHECKING:
    from ft.proto.fine_tuning_studio_pb2_grpc import FineTuningStudioAsyncStub


class AsyncFineTuningStudioClient(AsyncRpcs):
    """`ft.client.FineTuningStudioClient` for asyncio: the same arguments, names, retries and
    errors; RPCs are coroutine methods, streams and lists are asynchronous iterators.

    It can be created outside of an event loop. It connects in the loop of its first call, and can
    be used in that loop only.
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
        self._io = _AwaitingIo(self.address, metadata)
        self._calls = Calls(self._io, self.address, timeout)

    @property
    def channel(self) -> aio.Channel:
        """The channel to the studio. Must be asked for within the event loop."""
        return self._io.channel

    @cached_property
    def stub(self) -> "FineTuningStudioAsyncStub":
        """gRPC's own stub of the contract. Must be asked for within the event loop."""
        return FineTuningStudioStub(self.channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection and every call in flight."""
        self._io.closed = True
        await self._io.channel.close(None)

    async def wait_until_connected(self, seconds: float = CONNECT_SECONDS) -> None:
        """Waits for a connection to the studio's server, and does not ask for its health.

        Raises UnavailableError if there is none within `seconds`.
        """
        await self._calls.connected(seconds)

    async def get_job(self, job_id: str) -> Job:
        """Returns the job with that id, of any kind. Raises NotFoundError if there is none."""
        return await get_job(self._calls, job_id)

    async def watch_job(self, job_id: str, *, poll: float = POLL_SECONDS) -> AsyncIterator[Job]:
        """Yields a job of any kind now, then every `poll` seconds, and last when it has ended.

        Waits up to a minute for a studio that cannot be reached. Raises UnimplementedError if the
        studio keeps no states of jobs.
        """
        poller = JobPoller(self._calls, job_id, poll)
        while not poller.ended:
            yield await poller.poll()

    async def wait_for_job(
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
        return await wait_for_job(JobPoller(self._calls, job_id, poll, timeout), raise_on_failure)

    async def _unary(self, method: str, request: Any, timeout: float | None) -> Any:
        return await self._calls.unary(method, request, timeout)

    async def _stream(
        self,
        method: str,
        request: Any,
        timeout: float | None,
    ) -> AsyncGenerator[Any, None]:
        seconds = STREAM_SECONDS if timeout is None else timeout
        self._calls.require_open()
        responses = self._io.callables[method](request, timeout=seconds, metadata=self._io.metadata)
        try:
            async for response in responses:
                yield response
        except asyncio.CancelledError:
            self._io.raise_if_closed()
            raise
        except grpc.RpcError as error:
            self._calls.require_open()
            raise from_rpc_error(error, METHODS[method], self.address) from None
        finally:
            responses.cancel()

    async def _items(self, method: str, request: Any) -> AsyncIterator[Any]:
        pages = PageRequests(request)
        while pages.request is not None:
            for item in pages.items(await self._unary(method, pages.request, None)):
                yield item


class _AwaitingIo:
    """Input and output in the event loop that is running when it is first used."""

    def __init__(self, address: str, metadata: Sequence[tuple[str, str]]) -> None:
        self.closed = False
        self.metadata = metadata
        self._address = address

    @cached_property
    def channel(self) -> aio.Channel:
        # gRPC's channel takes hold of an event loop as it is made.
        options = channel_options(*SERVICES, max_bytes=MAX_DOCUMENT_BYTES)
        return aio.insecure_channel(self._address, options=options)

    @cached_property
    def callables(self) -> dict[str, Any]:
        return callables(self.channel)

    async def send(self, name: str, request: Any, seconds: float) -> Any:
        try:
            return await self.callables[name](request, timeout=seconds, metadata=self.metadata)
        except asyncio.CancelledError:
            self.raise_if_closed()
            raise

    async def connect(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.channel.channel_ready(), seconds)
            return True
        except (TimeoutError, aio.UsageError):
            return False

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def raise_if_closed(self) -> None:
        """Raises CallCancelledError if a call is cancelled because the client was closed.

        The task that awaits the call continues, and must not appear to be cancelled itself.
        """
        task = asyncio.current_task()
        if self.closed and task is not None and not task.cancelling():
            raise closed(self._address) from None
