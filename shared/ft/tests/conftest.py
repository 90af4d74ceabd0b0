"""A studio in this process: a real gRPC server with the contract's servicers, state in memory."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from typer.testing import CliRunner, Result

from ft.cli.app import app
from ft.client import AsyncFineTuningStudioClient, FineTuningStudioClient
from ft.proto import fine_tuning_studio_jobs_pb2_grpc as jobs_grpc
from ft.proto import fine_tuning_studio_pb2_grpc as studio_grpc
from ft.tests.studio import Studio


class Server:
    """Serves a `Studio` on a port of its own; can be away for a while and come back there."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.port = 0
        self.health = health.HealthServicer()
        self.start()

    def start(self) -> None:
        """Serves, where it served before."""
        self._server = grpc.server(
            futures.ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)]
        )
        studio_grpc.add_FineTuningStudioServicer_to_server(self.studio, self._server)
        jobs_grpc.add_FineTuningStudioJobsServicer_to_server(self.studio, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        for name in ("", "fine_tuning_studio.FineTuningStudio", "datasets"):
            self.health.set(name, health_pb2.HealthCheckResponse.SERVING)
        self._server.start()

    def stop(self) -> None:
        """Stops at once."""
        self._server.stop(0).wait()

    def start_later(self, seconds: float) -> threading.Timer:
        """Comes back by itself after a while."""
        timer = threading.Timer(seconds, self.start)
        timer.start()
        return timer


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("FINE_TUNING_SERVICE_", "FTS_", "CDSW_")):
            monkeypatch.delenv(name)


@pytest.fixture
def studio() -> Studio:
    return Studio()  # type: ignore[abstract]  # what no test calls is left out


@pytest.fixture
def server(studio: Studio) -> Iterator[Server]:
    running = Server(studio)
    yield running
    running.stop()


Fts = Callable[..., Result]


@pytest.fixture
def fts(server: Server, tmp_path: Path) -> Fts:
    """Runs the command against the server."""

    def run(*arguments: str) -> Result:
        where = ("--server", f"127.0.0.1:{server.port}", "--home", str(tmp_path / "home"))
        return CliRunner().invoke(app, [*arguments, *where], catch_exceptions=False)

    return run


@pytest.fixture
def registered(fts: Fts) -> None:
    """A model `m`, a dataset `d` and a prompt `p`."""
    fts("models", "add", "--name", "m", "--location", "m")
    fts("datasets", "add", "--name", "d", "--location", "d")
    fts(
        *("prompts", "add", "--name", "p", "--dataset", "d", "--prompt-template", "{a}"),
        *("--input-template", "{a}", "--completion-template", "{a}"),
    )


class Awaited:
    """The client for asyncio in an event loop of its own, with calls that block as its twin's do,
    so that one test holds both to the same."""

    def __init__(self, *where: Any, **options: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._client = AsyncFineTuningStudioClient(*where, **options)
        self._thread.start()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._client, name)
        return partial(self._call, attribute) if callable(attribute) else attribute

    def __enter__(self) -> "Awaited":
        return self

    def __exit__(self, *_: object) -> None:
        self._until(self._client.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, function: Any, *arguments: Any, **options: Any) -> Any:
        made = function(*arguments, **options)
        return self._iterated(made) if hasattr(made, "__anext__") else self._until(made)

    def _iterated(self, iterator: Any) -> Iterator[Any]:
        try:
            while True:
                yield self._until(anext(iterator))
        except StopAsyncIteration:
            return
        finally:
            self._until(iterator.aclose())

    def _until(self, awaitable: Any) -> Any:
        async def waited() -> Any:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(waited(), self._loop).result(60)


@pytest.fixture(params=[FineTuningStudioClient, Awaited], ids=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Any:
    """Makes clients, of each manner in turn."""
    return request.param


@pytest.fixture
def client(server: Server, connect: Any) -> Iterator[FineTuningStudioClient]:
    with connect("127.0.0.1", server.port, timeout=10) as connected:
        yield connected
