"""Runs a service process: bind, open the store, serve, report health, drain, exit."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
import structlog
import uvloop
from grpc import aio
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis import memory
from chassis.config import Settings
from chassis.rpc import logs
from chassis.rpc.dispatch import RpcDispatcher
from chassis.rpc.health import HealthBoard
from chassis.rpc.sockets import AddressError, Listener
from ft.channel import MAX_MESSAGE_BYTES

log = structlog.get_logger()

SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    # With 1, the default, a second server on the same port silently takes half of the calls.
    ("grpc.so_reuseport", 0),
    # Must allow the pings that our own channels send, or the server hangs up on them.
    ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


def server_options(max_bytes: int = MAX_MESSAGE_BYTES) -> tuple[tuple[str, int], ...]:
    """Options of a server for messages of up to `max_bytes`."""
    return (
        *SERVER_OPTIONS,
        ("grpc.max_receive_message_length", max_bytes),
        ("grpc.max_send_message_length", max_bytes),
    )


HEALTH_SECONDS = 2.0
"""Pause between looks at the store. With the time for which a call shows that the store answers
(`chassis.store.engine.FRESH_SECONDS`), health is at most five seconds old."""
STOP_SECONDS = 86_400.0
"""Time for which gRPC itself leaves calls alone once it stops; the end of the drain comes before.
With two stops whose time is over at once, gRPC uses a server that it has destroyed, and crashes."""
THREADS = "blocking"
"""Name prefix of the threads for blocking library calls."""


class DataStore(Protocol):
    """Interface of a service's data for its process; see `chassis.store.engine.Store`."""

    async def open(self) -> None:
        """Connects; returns once the data can be used."""

    def answers(self) -> bool:
        """Tells whether the data can be used now."""

    async def close(self) -> None:
        """Finishes pending writes and disconnects."""


@dataclass(frozen=True)
class ServiceParts:
    """Parts of a service process: handlers, store and background work."""

    service_names: Sequence[str]
    """Full names of the services, for health and reflection."""
    handlers: "Callable[[RpcDispatcher], Sequence[grpc.GenericRpcHandler[Any, Any]]]"
    """Makes the RPC handlers, given the process's dispatcher."""
    store: DataStore | None = None
    """Data of the service; the health of the process depends on it."""
    background: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    """Background work, started when the store is open."""
    watch: Sequence[Callable[[HealthBoard], Coroutine[Any, Any, None]]] = ()
    """Work that keeps further entries of the health board."""
    started: Callable[[str], Awaitable[None]] | None = None
    """Called with the listening address when calls are served."""
    max_message_bytes: int = MAX_MESSAGE_BYTES
    """Largest message that is sent or received."""
    close: Sequence[Callable[[], Awaitable[None]]] = ()
    """Called after the last call."""


def run(settings: Settings, parts: ServiceParts) -> None:
    """Serves until SIGTERM or SIGINT, then drains and returns.

    Exits with status 1 and one line on standard error if the address cannot be used, and with
    status 1 when work in the background fails, so that a supervisor starts the process anew.
    """
    logs.configure(settings)
    try:
        failed = uvloop.run(_Process(settings, parts).serve())
    except AddressError as error:
        sys.exit(f"{settings.service}: {error}")
    if failed:
        sys.exit(1)


class _Process:
    def __init__(self, settings: Settings, parts: ServiceParts) -> None:
        self._settings = settings
        self._parts = parts
        self._dispatcher = RpcDispatcher(settings.deadline_seconds, parts.max_message_bytes)
        self._board = HealthBoard()
        self._tasks: list[asyncio.Task[None]] = []
        self._failed = False
        self._threads = ThreadPoolExecutor(thread_name_prefix=THREADS)
        self._listener = Listener(
            settings.listen_address, settings.sockets / f"{settings.service}.address"
        )

    async def serve(self) -> bool:
        """Serves until SIGTERM or SIGINT; returns whether background work has failed."""
        self._stop = asyncio.Event()
        asyncio.get_running_loop().set_default_executor(self._threads)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        server = await self._server()
        address = self._listener.bind(server)
        await self._show(serving=False)
        await server.start()
        log.info("listening", address=address)
        self._spawn(self._live(address))
        for watch in self._parts.watch:
            self._spawn(watch(self._board))
        await self._stop.wait()
        await self._drain(server)
        log.info("stopped")
        await self._leave_blocked_threads()
        return self._failed

    async def _server(self) -> aio.Server:
        parts = self._parts
        server = aio.server(
            options=server_options(parts.max_message_bytes),
            maximum_concurrent_rpcs=self._settings.max_concurrent_rpcs,
        )
        server.add_generic_rpc_handlers(tuple(parts.handlers(self._dispatcher)))
        health_pb2_grpc.add_HealthServicer_to_server(self._board.servicer, server)
        reflection.enable_server_reflection(
            (*parts.service_names, health.SERVICE_NAME, reflection.SERVICE_NAME), server
        )
        return server

    async def _live(self, address: str) -> None:
        """Becomes ready, stays truthful about it, and does the work beside the calls."""
        store = self._parts.store
        if store is not None:
            await store.open()
        await self._show(serving=True)
        for work in self._parts.background:
            self._spawn(work())
        # Before `started`, which may wait as long as a workspace does not answer.
        memory.finish_start()
        if self._parts.started is not None:
            await self._parts.started(address)
        while store is not None:
            await asyncio.sleep(HEALTH_SECONDS)
            await self._show(serving=store.answers())

    async def _show(self, serving: bool) -> None:
        await self._board.show("", serving)
        if self._parts.store is not None:
            for name in self._parts.service_names:
                await self._board.show(name, serving)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work in the background failed; stopping", exc_info=error)
            self._failed = True
            self._stop.set()

    async def _drain(self, server: aio.Server) -> None:
        log.info("draining")
        await self._board.servicer.enter_graceful_shutdown()
        grace = self._settings.grace_seconds
        # From here on new calls are refused; those in flight go on. Health watches never end by
        # themselves, so the end is when the last call of our own is answered.
        stopping = asyncio.create_task(server.stop(STOP_SECONDS))
        await asyncio.sleep(0)
        await self._dispatcher.in_flight.drained(grace)
        await server.stop(None)
        await stopping
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for close in self._parts.close:
            await close()
        if self._parts.store is not None:
            await self._parts.store.close()
        self._listener.release()

    async def _leave_blocked_threads(self) -> None:
        """Ends the process here if a library call in a thread goes on in spite of the drain.

        Python would wait for it, and a hub that does not answer takes half a minute.
        """
        self._threads.shutdown(wait=False, cancel_futures=True)
        for _ in range(10):
            if not any(thread.name.startswith(THREADS) for thread in threading.enumerate()):
                return
            await asyncio.sleep(0.02)
        log.warning("left a call behind that does not end")
        logging.shutdown()
        os._exit(1 if self._failed else 0)
