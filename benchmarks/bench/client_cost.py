"""CPU of the studio's clients over that of gRPC's own stub, for the same calls on one channel."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.bench.contract import AsyncClient, Client, api

GETS, LISTS = 50, 10
"""Calls that are measured together."""
TURNS = 4
"""Client and stub take turns, so that both have the same noise."""


async def client_cost(address: str, prompt_id: str) -> dict[str, float]:
    """Ratios by name of the figure: GetPrompt, and all prompts as a list."""
    place = address.rpartition(":")[::2]
    get, everything = api.GetPromptRequest(id=prompt_id), api.ListPromptsRequest()
    found: dict[str, float] = {}
    with Client(*place) as client:
        stub: Any = client.stub
        found["client-get"] = await _ratio(
            _awaitable(lambda: client.GetPrompt(get)), _awaitable(lambda: stub.GetPrompt(get)), GETS
        )
        found["client-list"] = await _ratio(
            _awaitable(client.get_prompts),
            _awaitable(lambda: list(stub.ListPrompts(everything).prompts)),
            LISTS,
        )
    async with AsyncClient(*place) as awaiting:
        async_stub: Any = awaiting.stub

        async def bare_list() -> None:
            list((await async_stub.ListPrompts(everything)).prompts)

        found["async-client-get"] = await _ratio(
            lambda: awaiting.GetPrompt(get), lambda: async_stub.GetPrompt(get), GETS
        )
        found["async-client-list"] = await _ratio(awaiting.get_prompts, bare_list, LISTS)
    return found


async def _ratio(
    own: Callable[[], Awaitable[Any]], bare: Callable[[], Awaitable[Any]], calls: int
) -> float:
    used = {own: 0.0, bare: 0.0}
    await own()
    await bare()
    for call in (own, bare) * TURNS:
        begin = time.process_time()
        for _ in range(calls):
            await call()
        used[call] += time.process_time() - begin
    return used[own] / used[bare]


def _awaitable(call: Callable[[], object]) -> Callable[[], Awaitable[None]]:
    """The call of a client that blocks, as those of the other one are."""

    async def blocking() -> None:
        call()

    return blocking
