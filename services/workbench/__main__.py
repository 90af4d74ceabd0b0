"""`python -m services.workbench`: serves the workbench until it is told to stop."""

import asyncio
import contextlib
import fcntl
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI

from chassis.config import sqlite_url
from chassis.rpc import logs
from ft.job_protocol.variables import NO_TRAINER
from services.workbench import app, bootstrap, machine, runtime
from services.workbench.database import Database
from services.workbench.engine.engine import Engine
from services.workbench.engine.launch import Address, Launcher
from services.workbench.engine.means import Means
from services.workbench.serving.deployments import Deployments
from services.workbench.settings import WorkbenchSettings
from services.workbench.workbench import Workbench

log = structlog.get_logger()

_DRAIN_SECONDS = 5
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - compared with, not bound to


class CannotServeError(Exception):
    """The workbench cannot serve as it was told to. The message is for the operator."""


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise them again and so end with a signal's status."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def main() -> int:
    """Serve; return the process's exit status."""
    settings = WorkbenchSettings()
    logs.configure(settings)
    try:
        asyncio.run(_serve(settings))
    except (CannotServeError, runtime.RuntimeUnusableError, OSError) as error:
        # OSError: the home cannot be written to, or its disk is full.
        log.error("the workbench cannot start", error=str(error))
        return 1
    return 0


async def _serve(settings: WorkbenchSettings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    _make_folders(settings)
    with _only_one(settings), _listening(settings) as (listener, url):
        address = Address(url, _key(settings.key_file))
        workbench = await _build(settings, address)
        looking = asyncio.create_task(workbench.engine.run())
        importing = asyncio.create_task(_try_imports(workbench, stopping.is_set))
        await _answer(app.build(workbench, address.key), listener, stopping)
        # Runs live on, each with its watcher, and are found again at the next start.
        await importing
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
        await workbench.deployments.close()
        await workbench.database.close()
        log.info("workbench stopped")


async def _try_imports(workbench: Workbench, stop: Callable[[], bool]) -> None:
    """Have the template jobs say so if the trainer is there but cannot be imported."""
    trainer = workbench.trainer
    if not trainer.unfit:
        fault = await asyncio.to_thread(runtime.import_fault, workbench.runtime, stop)
        if fault and not stop():
            log.warning("jobs with the studio's own scripts are refused", why=fault)
            await workbench.database.write(lambda s: bootstrap.state(s, NO_TRAINER, fault))
            trainer.unfit = fault
    trainer.done = True


async def _build(settings: WorkbenchSettings, address: Address) -> Workbench:
    """The workbench, with its database open and what a new project has in it."""
    found = await asyncio.to_thread(runtime.probe, settings.python)
    there = await asyncio.to_thread(machine.detect, settings)
    database = Database(settings.service, sqlite_url(settings.database_file))
    await database.open()
    there = await database.write(lambda s: bootstrap.seed(s, settings, there, found))
    bootstrap.copy_starter(settings, found)
    means = Means(database, settings, there, Launcher(settings, address))
    deployments = Deployments(means)
    engine = Engine(means, deployments)
    log.info(
        "workbench ready",
        url=address.url,
        cpu=there.cpu,
        memory_gib=round(there.memory, 1),
        gpus=len(there.gpus),
        runtime=found.identifier,
    )
    trainer = runtime.TrainerCheck(found.unfit)
    return Workbench(settings, database, found, trainer, engine, deployments)


async def _answer(application: FastAPI, listener: socket.socket, stopping: asyncio.Event) -> None:
    server = _Server(
        uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
    )
    told = asyncio.create_task(stopping.wait())
    told.add_done_callback(lambda _: setattr(server, "should_exit", True))
    await server.serve(sockets=[listener])


def _make_folders(settings: WorkbenchSettings) -> None:
    for folder in (settings.home_dir, settings.project):
        folder.mkdir(parents=True, exist_ok=True)
    # The environments of jobs hold tokens, and so may what runs and served models print.
    settings.runs_dir.mkdir(mode=0o700, exist_ok=True)
    settings.models_dir.mkdir(mode=0o700, exist_ok=True)
    settings.database_file.touch(mode=0o600)


@contextlib.contextmanager
def _only_one(settings: WorkbenchSettings) -> Iterator[None]:
    """Hold the home folder: two workbenches would start the same runs."""
    with (settings.home_dir / "workbench.lock").open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotServeError(
                f"another workbench uses {settings.home_dir} (FTS_HOME)"
            ) from None
        yield


@contextlib.contextmanager
def _listening(settings: WorkbenchSettings) -> Iterator[tuple[socket.socket, str]]:
    """Bind, and publish the address while it is served."""
    listener = _bind(settings)
    host, port = listener.getsockname()[:2]
    shown = "127.0.0.1" if host == _EVERYWHERE else host
    url = f"http://{shown}:{port}"
    _write_whole(settings.url_file, url, 0o644)
    with listener:
        yield listener, url


def _bind(settings: WorkbenchSettings) -> socket.socket:
    wanted = [settings.workbench_port]
    if settings.workbench_port == 0:
        # Runs that outlived the last workbench know its address.
        wanted = [port for port in (_last_port(settings.url_file),) if port] + [0]
    failure: OSError | None = None
    for port in wanted:
        try:
            return socket.create_server((settings.workbench_host, port))
        except OSError as error:
            failure = error
    address = f"{settings.workbench_host}:{settings.workbench_port}"
    raise CannotServeError(f"cannot listen on {address}: {failure}")


def _last_port(url_file: Path) -> int | None:
    try:
        return int(url_file.read_text().rpartition(":")[2])
    except (OSError, ValueError):
        return None


def _key(path: Path) -> str:
    if not path.exists():
        _write_whole(path, secrets.token_hex(32), 0o600)
    key = path.read_text().strip()
    if not key:
        raise CannotServeError(f"FTS_WORKBENCH_KEY_FILE: {path} is empty")
    return key


def _write_whole(path: Path, content: str, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode)
    temporary.write_text(content)
    temporary.replace(path)


if __name__ == "__main__":
    sys.exit(main())
