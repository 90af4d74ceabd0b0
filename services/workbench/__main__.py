"""`python -m services.workbench`: serves the workbench until a signal stops it."""

import asyncio
import contextlib
import fcntl
import signal
import sys
from collections.abc import Callable, Iterator

import structlog
import uvicorn

from chassis import memory
from chassis.config import sqlite_url
from chassis.rpc import logs
from ft.job_protocol.variables import NO_TRAINER
from services.workbench import app, bootstrap
from services.workbench.address import CannotServeError, listening, read_key
from services.workbench.context import WorkbenchContext
from services.workbench.engine.context import EngineContext
from services.workbench.engine.launch import Address, Launcher
from services.workbench.engine.process_ends import ProcessEnds
from services.workbench.engine.runs import JobRuns
from services.workbench.host import machine, runtime
from services.workbench.scheduler import Scheduler
from services.workbench.serving.deployments import Deployments
from services.workbench.settings import WorkbenchSettings
from services.workbench.store.database import Database

log = structlog.get_logger()

_DRAIN_SECONDS = 5


class _Server(uvicorn.Server):
    """Leaves signals to the workbench: uvicorn would raise them again, and the process would end
    with the status of a signal."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def main() -> int:
    """Serves; returns the process's exit status."""
    settings = WorkbenchSettings.load("workbench")
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
    for folder in (settings.home_dir, settings.project):
        folder.mkdir(parents=True, exist_ok=True)
    # The environments of jobs hold tokens, and so may what runs and served models print.
    settings.runs_dir.mkdir(mode=0o700, exist_ok=True)
    settings.models_dir.mkdir(mode=0o700, exist_ok=True)
    settings.database_file.touch(mode=0o600)
    with _only_one(settings), listening(settings) as (listener, url):
        address = Address(url, read_key(settings.key_file))
        workbench = await _build(settings, address)
        stepping = asyncio.create_task(workbench.scheduler.run())
        importing = asyncio.create_task(_try_imports(workbench, stopping.is_set))
        server = _Server(
            uvicorn.Config(
                app.build(workbench, address.key),
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=_DRAIN_SECONDS,
            )
        )
        stopped = asyncio.create_task(stopping.wait())
        stopped.add_done_callback(lambda _: setattr(server, "should_exit", True))
        memory.finish_start()
        await server.serve(sockets=[listener])
        # Runs live on, each with its watcher, and are found again at the next start.
        await importing
        stepping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await stepping
        await workbench.deployments.close()
        await workbench.database.close()
        log.info("workbench stopped")


@contextlib.contextmanager
def _only_one(settings: WorkbenchSettings) -> Iterator[None]:
    """Locks the home folder, because two workbenches would start the same runs."""
    with (settings.home_dir / "workbench.lock").open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotServeError(
                f"another workbench uses {settings.home_dir} (FTS_HOME)"
            ) from None
        yield


async def _build(settings: WorkbenchSettings, address: Address) -> WorkbenchContext:
    """Opens the database, adds the initial contents of a project, and creates the parts."""
    python = await asyncio.to_thread(runtime.probe, settings.python)
    resources = await asyncio.to_thread(machine.detect, settings)
    database = Database(settings.service, sqlite_url(settings.database_file))
    await database.open()
    resources = await database.write(lambda s: bootstrap.seed(s, settings, resources, python))
    bootstrap.copy_starter(settings, python)
    wake = asyncio.Event()
    launcher = Launcher(settings, address)
    context = EngineContext(database, settings, resources, launcher, ProcessEnds(wake))
    runs, deployments = JobRuns(context), Deployments(context)
    log.info(
        "workbench ready",
        url=address.url,
        cpu=resources.cpu,
        memory_gib=round(resources.memory, 1),
        gpus=len(resources.gpus),
        runtime=python.identifier,
    )
    return WorkbenchContext(
        settings=settings,
        database=database,
        runtime=python,
        trainer=runtime.TrainerCheck(python.unfit),
        runs=runs,
        deployments=deployments,
        scheduler=Scheduler(runs, deployments, wake),
    )


async def _try_imports(workbench: WorkbenchContext, stop: Callable[[], bool]) -> None:
    """Records in the template jobs if the trainer is installed but cannot be imported."""
    trainer = workbench.trainer
    if not trainer.unfit:
        fault = await asyncio.to_thread(runtime.import_fault, workbench.runtime, stop)
        if fault and not stop():
            log.warning("jobs with the studio's own scripts are refused", why=fault)
            await workbench.database.write(lambda s: bootstrap.set_variable(s, NO_TRAINER, fault))
            trainer.unfit = fault
    trainer.done = True


if __name__ == "__main__":
    sys.exit(main())
