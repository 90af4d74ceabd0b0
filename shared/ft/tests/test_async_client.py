"""What only the client for asyncio has to get right."""

import asyncio
import threading
from typing import Any

import pytest

from ft import api
from ft.client import AsyncFineTuningStudioClient, UnavailableError


async def test_calls_run_concurrently(server: Any, studio: Any) -> None:
    together = threading.Barrier(4)
    studio.before = lambda method, context: together.wait(10) and None
    async with AsyncFineTuningStudioClient("127.0.0.1", server.port) as client:
        answers = await asyncio.gather(*(client.get_models() for _ in range(4)))
    assert answers == [[]] * 4


def test_client_can_be_made_outside_of_the_event_loop(server: Any) -> None:
    client = AsyncFineTuningStudioClient("127.0.0.1", server.port)

    async def use() -> list[api.ModelMetadata]:
        async with client:
            answer = await client.stub.ListModels(api.ListModelsRequest())
            assert answer == await client.ListModels(api.ListModelsRequest())
            return await client.get_models()

    assert asyncio.run(use()) == []


async def test_cancelled_task_ends_its_call(server: Any, studio: Any) -> None:
    arrived, ended = threading.Event(), threading.Event()

    def wait(method: str, context: Any) -> None:
        context.add_callback(ended.set)
        arrived.set()
        ended.wait(10)

    studio.before = wait
    async with AsyncFineTuningStudioClient("127.0.0.1", server.port) as client:
        task = asyncio.create_task(client.get_models())
        await asyncio.to_thread(arrived.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(ended.wait, 10)


async def test_abandoned_iteration_leaves_no_call_behind(server: Any, studio: Any) -> None:
    async with AsyncFineTuningStudioClient("127.0.0.1", server.port) as client:
        for _ in range(2):
            await client.AddModel(api.AddModelRequest())
        async for _ in client.iter_models(page_size=1):
            break
        assert studio.calls["ListModels"] == 1
    assert len(asyncio.all_tasks()) == 1


async def test_call_waits_for_a_connection(server: Any, closed_port: int) -> None:
    async with AsyncFineTuningStudioClient("127.0.0.1", server.port) as client:
        await client.wait_until_connected()
    async with AsyncFineTuningStudioClient("127.0.0.1", closed_port) as client:
        with pytest.raises(UnavailableError, match="no studio answers"):
            await client.wait_until_connected(0.3)
    async with AsyncFineTuningStudioClient("127.0.0.1", closed_port) as unused:
        assert unused.address.endswith(str(closed_port))
