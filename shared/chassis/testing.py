"""Real services inside one test process: servers on unix sockets, stores in a temporary folder."""

import importlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from grpc import aio

from chassis.config import Settings
from chassis.rpc import Dispatcher
from chassis.server import SERVER_OPTIONS, Parts


def settings_in(folder: Path, service: str, database_url: str = "") -> Settings:
    """Settings of a service whose state, sockets and project lie in `folder`.

    Services with the same folder reach each other.
    """
    (folder / "project").mkdir(parents=True, exist_ok=True)
    return Settings(service=service, home=folder, database_url=database_url, peer_wait_seconds=0.2)


def parts_of(settings: Settings) -> Parts:
    """The parts that the service's own `__main__` would run with these settings."""
    main = importlib.import_module(f"services.{settings.service}.__main__")
    parts: Parts = main.parts(settings)
    return parts


@asynccontextmanager
async def serving(settings: Settings, parts: Parts) -> AsyncIterator[None]:
    """Serves the parts where the settings say, for as long as the block runs."""
    settings.sockets.mkdir(parents=True, exist_ok=True)
    server = aio.server(options=SERVER_OPTIONS)
    server.add_generic_rpc_handlers(tuple(parts.handlers(Dispatcher(settings.deadline_seconds))))
    server.add_insecure_port(settings.listen_address)
    if parts.store is not None:
        await parts.store.open()
    await server.start()
    try:
        yield
    finally:
        await server.stop(None)
        for close in parts.close:
            await close()
        if parts.store is not None:
            await parts.store.close()


@asynccontextmanager
async def services(folder: Path, *names: str, database_url: str = "") -> AsyncIterator[None]:
    """Serves the named services of the studio, all with their state in `folder`."""
    async with AsyncExitStack() as stack:
        for name in names:
            settings = settings_in(folder, name, database_url)
            await stack.enter_async_context(serving(settings, parts_of(settings)))
        yield
