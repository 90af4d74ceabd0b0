"""The facade's health follows that of the domains."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.domains import DOMAIN_SERVICES
from chassis.rpc.health import HealthBoard
from chassis.rpc.peers import PeerChannel
from chassis.rpc.server import server_options
from chassis.testing.services import settings_in
from services.facade.watch import DomainWatch

NAMES = ("models", "prompts")
OVERALL = "the.Contract"
SERVING = health_pb2.HealthCheckResponse.SERVING


@asynccontextmanager
async def domain(folder: Path, name: str, serves: bool = True) -> AsyncIterator[HealthBoard]:
    """A server that tells its health and nothing else."""
    settings = settings_in(folder, name)
    settings.sockets.mkdir(exist_ok=True)
    board = HealthBoard()
    await board.show(DOMAIN_SERVICES[name].full_name, serves)
    server = aio.server(options=server_options())
    health_pb2_grpc.add_HealthServicer_to_server(board.servicer, server)
    server.add_insecure_port(settings.listen_address)
    await server.start()
    yield board
    await server.stop(None)


class Watched:
    """What the facade shows."""

    def __init__(self, board: HealthBoard) -> None:
        self._board = board

    async def becomes(self, **expected: bool) -> None:
        """Returns once the entries are as expected."""
        wanted = {name.replace("overall", OVERALL): is_up for name, is_up in expected.items()}
        async with asyncio.timeout(120):
            while await self._shown(list(wanted)) != wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def _shown(self, names: list[str]) -> dict[str, bool]:
        return {name: await self._status(name) == SERVING for name in names}

    async def _status(self, name: str) -> Any:
        request = health_pb2.HealthCheckRequest(service=name)
        return (await self._board.servicer.Check(request, None)).status


@pytest.fixture
async def shown(tmp_path: Path) -> AsyncIterator[Watched]:
    settings = settings_in(tmp_path, "facade")
    channels = {name: PeerChannel(name, settings, DOMAIN_SERVICES[name]) for name in NAMES}
    board = HealthBoard()
    watch = asyncio.create_task(DomainWatch(channels, overall=[OVERALL]).run(board))
    # Until the first answer, entries do not exist.
    await asyncio.sleep(0)
    yield Watched(board)
    assert not watch.done()
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    for channel in channels.values():
        await channel.close()


async def test_health_follows_domains_that_come_and_go(shown: Watched, tmp_path: Path) -> None:
    await shown.becomes(overall=False, models=False, prompts=False)
    async with domain(tmp_path, "models"):
        await shown.becomes(overall=False, models=True, prompts=False)
        async with domain(tmp_path, "prompts"):
            await shown.becomes(overall=True, models=True, prompts=True)
        await shown.becomes(overall=False, models=True, prompts=False)
        async with domain(tmp_path, "prompts"):
            await shown.becomes(overall=True, models=True, prompts=True)


async def test_health_follows_what_a_domain_says(shown: Watched, tmp_path: Path) -> None:
    async with domain(tmp_path, "prompts"), domain(tmp_path, "models", serves=False) as board:
        await shown.becomes(overall=False, models=False, prompts=True)
        await board.show(DOMAIN_SERVICES["models"].full_name, True)
        await shown.becomes(overall=True, models=True, prompts=True)
        await board.show(DOMAIN_SERVICES["models"].full_name, False)
        await shown.becomes(overall=False, models=False, prompts=True)
