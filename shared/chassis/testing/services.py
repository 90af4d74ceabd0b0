"""Real services for tests: inside the test's process or beside it, with all their state, sockets
and databases in a temporary folder."""

import asyncio
import importlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis import domains
from chassis.config import Settings
from chassis.domains import TABLE_OF
from chassis.ids import new_id
from chassis.rpc.dispatch import RpcDispatcher
from chassis.rpc.server import ServiceParts, server_options
from chassis.transfer.document import own_table
from ft.channel import channel_options
from ft.proto.fine_tuning_studio_types_pb2 import ImportedTable
from ft.proto.tables_pb2 import (
    AbortImportRequest,
    CommitImportRequest,
    ExportTablesRequest,
    ExportTablesResponse,
    PrepareImportRequest,
    ReleaseTablesRequest,
    StageRowsRequest,
)

CALLER = "test"
"""Name under which a test itself calls services."""


def settings_in(
    folder: Path,
    service: str,
    database_url: str = "",
    peer_wait_seconds: float | None = None,
) -> Settings:
    """Settings of a service whose state, sockets and project lie in `folder`.

    Services with the same folder reach each other. By default they soon tell that a peer is away;
    CALLER, whose peers are there, gives them time.
    """
    if peer_wait_seconds is None:
        peer_wait_seconds = 20.0 if service == CALLER else 0.5
    (folder / "project").mkdir(parents=True, exist_ok=True)
    return Settings(
        service=service,
        home=folder,
        database_url=database_url,
        peer_wait_seconds=peer_wait_seconds,
        retry_pause_seconds=0.05,
    )


def parts_of(settings: Settings) -> ServiceParts:
    """The parts that the service's own `__main__` would run with these settings."""
    main = importlib.import_module(f"services.{settings.service}.__main__")
    parts: ServiceParts = main.service.parts(settings)
    return parts


@asynccontextmanager
async def serving(settings: Settings, parts: ServiceParts) -> AsyncIterator[None]:
    """Serves the parts where the settings say, and does the work beside the calls, for as long as
    the block runs."""
    settings.sockets.mkdir(parents=True, exist_ok=True)
    server = aio.server(options=server_options(parts.max_message_bytes))
    server.add_generic_rpc_handlers(
        tuple(parts.handlers(RpcDispatcher(settings.deadline_seconds, parts.max_message_bytes)))
    )
    server.add_insecure_port(settings.listen_address)
    if parts.store is not None:
        await parts.store.open()
    await server.start()
    tasks = [asyncio.create_task(work()) for work in parts.background]
    try:
        yield
    finally:
        await server.stop(None)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
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


async def put_rows(folder: Path, domain: str, *rows: Mapping[str, Any]) -> ImportedTable:
    """Puts rows into the table of a service that has its state in `folder`, as an import does; what
    became of them. Nothing is taken if one is refused."""
    peer = domains.tables(domain, settings_in(folder, CALLER))
    try:
        id = new_id()
        table = TABLE_OF[domain]
        staged = StageRowsRequest(import_id=id, table=table, rows_json=json.dumps(rows))
        await peer(lambda s: s.StageRows, staged)
        [report] = (
            await peer(lambda s: s.PrepareImport, PrepareImportRequest(import_id=id))
        ).tables
        if report.refused:
            await peer(lambda s: s.AbortImport, AbortImportRequest(import_id=id))
        else:
            await peer(lambda s: s.CommitImport, CommitImportRequest(import_id=id))
        return report
    finally:
        await peer.close()


async def exported_rows(folder: Path, domain: str) -> list[dict[str, Any]]:
    """The rows of a service's table as an export has them, each with what is the studio's own."""
    peer = domains.tables(domain, settings_in(folder, CALLER))
    found: dict[str, list[dict[str, Any]]] = {}
    async with aclosing(
        peer.channel.stream("ExportTables", ExportTablesRequest(export_id="e").SerializeToString())
    ) as parts:
        await anext(parts)
        await peer(lambda s: s.ReleaseTables, ReleaseTablesRequest(export_id="e"))
        async for data in parts:
            part = ExportTablesResponse.FromString(data)
            found.setdefault(part.table, []).extend(json.loads(f"[{part.rows_json}]"))
    await peer.close()
    table = TABLE_OF[domain]
    own = {row["row_id"]: json.loads(row["extra_json"]) for row in found[own_table(table)]}
    return [{**row, **own[row["id"]]} for row in found[table]]


class ServiceProcess:
    """A service as a process of its own, started with `python -m` or a script."""

    def __init__(self, folder: Path, service: str, *command: str, **environment: str) -> None:
        self.settings = settings_in(folder, service)
        self.address = self.settings.address_of(service)
        self.log = folder / f"{service}.log"
        self._command = (sys.executable, *(command or ("-m", f"services.{service}")))
        self.environment = {
            **os.environ,
            # What the test can import, the process can, installed or not.
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "FTS_HOME": str(folder),
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ServiceProcess":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Starts it; once more after it was killed."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the command is the test's own
                self._command, env=self.environment, stderr=log
            )

    def kill(self) -> None:
        """Kills it if it runs."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        """Sends SIGTERM."""
        assert self._process is not None
        self._process.terminate()

    def wait(self, seconds: float = 120.0) -> int:
        """The exit status. Raises `subprocess.TimeoutExpired` if it goes on for longer."""
        assert self._process is not None
        return self._process.wait(seconds)

    async def serving(self, seconds: float = 120.0) -> None:
        """Returns when its health is SERVING. Raises AssertionError with its log."""
        answered = "nothing"
        try:
            async with (
                asyncio.timeout(seconds),
                aio.insecure_channel(self.address, options=channel_options()) as channel,
            ):
                check = health_pb2_grpc.HealthStub(channel).Check
                while answered != "SERVING":
                    try:
                        answer = await check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
                        status = health_pb2.HealthCheckResponse.ServingStatus
                        answered = str(status.Name(answer.status))
                    except aio.AioRpcError as error:
                        answered = str(error)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            log = self.log.read_text()
            raise AssertionError(f"not serving, it answers {answered}: {log}") from None
