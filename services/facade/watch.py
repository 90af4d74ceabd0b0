"""Watches the health of the domains, and shows it as the studio's own."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.rpc.health import HealthBoard
from chassis.rpc.peers import PeerChannel

log = structlog.get_logger()

RETRY_SECONDS = 0.1


class DomainWatch:
    """Keeps an entry for each domain, and one that all must be up for.

    `""` stands for the facade's own process and is not touched: it can serve the other domains
    while one is away, and restarting it would not bring that one back.
    """

    def __init__(self, channels: Mapping[str, PeerChannel], overall: Sequence[str]) -> None:
        self._channels = channels
        self._overall = overall
        self._serving = dict.fromkeys(channels, False)

    async def run(self, board: HealthBoard) -> None:
        """Follows every domain for as long as the process runs."""
        await self._publish(board)
        watches = [partial(self._follow, name, channel) for name, channel in self._channels.items()]
        async with asyncio.TaskGroup() as group:
            for watch in watches:
                group.create_task(watch(board))

    async def _follow(self, name: str, channel: PeerChannel, board: HealthBoard) -> None:
        request = health_pb2.HealthCheckRequest(service=channel.service.full_name)
        while True:
            stub: Any = health_pb2_grpc.HealthStub(channel.grpc_channel)
            answers = stub.Watch(request, wait_for_ready=True)
            try:
                async for answer in answers:
                    await self._set(name, answer.status == answer.SERVING, board)
            except aio.AioRpcError as error:
                log.debug("watch ended", domain=name, code=error.code().name)
            finally:
                answers.cancel()
            await self._set(name, False, board)
            await asyncio.sleep(RETRY_SECONDS)

    async def _set(self, name: str, serving: bool, board: HealthBoard) -> None:
        if self._serving[name] is serving:
            return
        self._serving[name] = serving
        level = logging.INFO if serving else logging.WARNING
        log.log(level, "domain changed", domain=name, serving=serving)
        await self._publish(board)

    async def _publish(self, board: HealthBoard) -> None:
        for name, serving in self._serving.items():
            await board.show(name, serving)
        for name in self._overall:
            await board.show(name, all(self._serving.values()))
