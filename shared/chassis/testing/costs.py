"""Counts what a call costs: statements, commits and calls to other services."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event

from chassis.rpc.peers import Peer
from chassis.testing.services import parts_of, serving, settings_in


@asynccontextmanager
async def idle_services(folder: Path, *names: str) -> AsyncIterator[None]:
    """Serves services as `chassis.testing.services` does, without their work in the background."""
    async with AsyncExitStack() as stack:
        for name in names:
            settings = settings_in(folder, name)
            parts = replace(parts_of(settings), background=())
            await stack.enter_async_context(serving(settings, parts))
        yield


class Costs:
    """Counts of one call, in all services together."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        """With the beginning of each transaction, on SQLite."""
        self.commits = 0
        self.calls = 0
        """Calls between services, and the one of the test."""

    def assert_at_most(self, *, statements: int, commits: int, hops: int) -> None:
        """Raises AssertionError if there were more, or another number of commits."""
        found = "\n".join(self.statements)
        assert len(self.statements) <= statements, found
        assert self.commits == commits, found
        assert self.calls - 1 <= hops


@contextmanager
def counted() -> Iterator[Costs]:
    """Counts what the block costs."""
    costs = Costs()
    call = Peer.__call__

    def execute(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        costs.statements.append(statement)

    def commit(_connection: object) -> None:
        costs.commits += 1

    async def called(self: "Peer[Any]", *arguments: Any) -> Any:
        costs.calls += 1
        return await call(self, *arguments)

    event.listen(Engine, "before_cursor_execute", execute)
    event.listen(Engine, "commit", commit)
    try:
        with patch.object(Peer, "__call__", called):
            yield costs
    finally:
        event.remove(Engine, "before_cursor_execute", execute)
        event.remove(Engine, "commit", commit)
