"""Takes deployments of models to where they are to be, and finds them again after a restart.

What a deployment's folder says is stronger than what the workbench remembers, as with runs. Each
launch has a folder of its own, and none is made before it is certain that nothing of the one before
is left.
"""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from ft.job_protocol.exit_status import describe_exit
from services.workbench import keys
from services.workbench.engine import leftovers, shim
from services.workbench.engine import states as at
from services.workbench.engine.folder import Ended, RunFolder
from services.workbench.engine.launch import Task, project_environment
from services.workbench.engine.means import Means
from services.workbench.engine.states import change
from services.workbench.serving import builds, served
from services.workbench.tables import ModelBuildRow, ModelDeploymentRow, ModelRow, utc_now

log = structlog.get_logger()

RESTARTS = 3
"""How often in a row a process that died is started again."""
PAUSE_GROWTH = 4
STEADY = timedelta(minutes=10)
"""A process that lived so long did not die of its start."""
_REAP_SECONDS = 1.0
_POLL_SECONDS = 0.05


class Deployments:
    """The workbench's builds and deployments in motion."""

    def __init__(self, means: Means) -> None:
        self._database = means.database
        self._settings = means.settings
        self._machine = means.machine
        self._launcher = means.launcher
        self._watchers: dict[str, subprocess.Popen[bytes]] = {}
        self._told: set[tuple[str, int, str]] = set()
        self._pauses: dict[str, tuple[datetime, float]] = {}
        """Until when the next launch of each waits, by a clock that nobody sets."""

    async def look(self) -> bool:
        """Move everything on by a step; whether there is anything to look at again."""
        for build in self._database.read(_unbuilt):
            await self._build(build)
        for deployment in self._database.read(_active):
            try:
                await self._move_on(deployment)
            except Exception:
                # One deployment's trouble must not end the watch over all others.
                log.exception("a deployment could not be looked after", deployment=deployment.id)
        return bool(self._database.read(_active))

    async def close(self) -> None:
        """End all processes, which nobody could call; the next start launches them again."""
        for row in self._database.read(_active):
            if row.status in (at.DEPLOYING, at.DEPLOYED):
                await change(self._database, row, status=at.PENDING)
        left = self._database.read(_active)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.workbench_stop_grace_seconds + _REAP_SECONDS):
                while left:
                    await asyncio.sleep(_POLL_SECONDS)
                    left = [row for row in left if not self._is_over(row)]

    def folder(self, row: ModelDeploymentRow) -> RunFolder:
        """The folder of a deployment's last launch."""
        return RunFolder(self._settings.models_dir, row.id, row.attempt)

    async def _build(self, build: ModelBuildRow) -> None:
        if not await change(self._database, build, status=at.BUILDING):
            return
        fault = await asyncio.to_thread(
            builds.fault, self._settings.project, build.file_path, build.function_name
        )
        log.info("model built", build=build.id, fault=fault)
        await change(
            self._database,
            build,
            status=at.BUILD_FAILED if fault else at.BUILT,
            fault=fault or "",
            built_at=None if fault else utc_now(),
        )

    async def _move_on(self, row: ModelDeploymentRow) -> None:
        if row.status == at.STOPPING:
            if self._is_over(row):
                await self._end(row, at.STOPPED)
        elif row.status == at.PENDING:
            await self._await_launch(row)
        else:
            await self._follow(row)

    # Before the launch, and the end of a launch that is not wanted any more

    async def _await_launch(self, row: ModelDeploymentRow) -> None:
        build = self._database.read(lambda session: _build_of(session, row))
        if build.status == at.BUILD_FAILED:
            await self._fail(row, f"the build failed: {build.fault}")
        elif build.status == at.BUILT and self._is_over(row):
            if row.gpus:
                await change(self._database, row, gpus=[])
            if row.retry_at is None or self._pause_is_over(row, row.retry_at):
                await self._launch_if_free(row, build)

    def _pause_is_over(self, row: ModelDeploymentRow, retry_at: datetime) -> bool:
        known, until = self._pauses.get(row.id, (None, 0.0))
        if known != retry_at:
            # A clock that was set back makes it no longer than it was to be.
            left = min((retry_at - utc_now()).total_seconds(), self._pause_after(row.deaths))
            until = time.monotonic() + left
            self._pauses[row.id] = (retry_at, until)
        return time.monotonic() >= until

    def _pause_after(self, deaths: int) -> float:
        """Seconds until a process is started again that has died so often in a row."""
        growth: int = PAUSE_GROWTH ** (deaths - 1)
        return self._settings.workbench_model_pause_seconds * growth

    async def _launch_if_free(self, row: ModelDeploymentRow, build: ModelBuildRow) -> None:
        gpus = self._free_gpus(row)
        if gpus is None:
            self._tell_once(row, "waiting until the GPUs it asks for are free")
        else:
            await self._launch(row, build, gpus)

    def _is_over(self, row: ModelDeploymentRow) -> bool:
        """Whether nothing of the last launch is left; sees to it if something is."""
        folder = self.folder(row)
        watcher = self._watchers.get(row.id)
        if row.attempt == 0 or folder.ended() is not None:
            self._reap(row)
            return True
        if not folder.begun():
            # A watcher that lives may begin at any moment, and can be told to stop then.
            return (watcher is None or watcher.poll() is not None) and folder.abandon()
        if folder.watcher() is not None:
            if self._first(row, "stop"):
                folder.ask_to_stop()
            return False
        return folder.ended() is not None or not leftovers.kill(row.id)

    def _free_gpus(self, row: ModelDeploymentRow) -> list[str] | None:
        """GPUs for the deployment, fewer than it asks for where the machine has fewer."""
        label = self._database.read(lambda session: _label_of(session, row))
        there = [gpu.index for gpu in self._machine.gpus_of(label)]
        wanted = min(row.nvidia_gpu, len(there))
        held = self._database.read(at.held_gpus)
        free = [gpu for gpu in there if gpu not in held]
        return free[:wanted] if wanted <= len(free) else None

    async def _launch(self, row: ModelDeploymentRow, build: ModelBuildRow, gpus: list[str]) -> None:
        attempt = row.attempt + 1
        if not await change(
            self._database, row, status=at.DEPLOYING, attempt=attempt, gpus=gpus, retry_at=None
        ):
            return
        if len(gpus) < row.nvidia_gpu:
            has = f"{len(gpus)} GPU(s)" if gpus else "no GPU, so it is served on the CPU"
            self._tell_once(row, f"it asks for {row.nvidia_gpu} GPU(s); the machine has {has}")
        try:
            self._watchers[row.id] = self._launcher.launch(self._task(row, build))
        except OSError as error:
            await self._fail(row, f"the process could not be started: {error}")

    def _task(self, row: ModelDeploymentRow, build: ModelBuildRow) -> Task:
        folder = self.folder(row)
        script = self._settings.project / build.file_path
        return Task(
            engine_id=row.id,
            project_id=row.project_id,
            folder=folder,
            command=[
                str(Path(served.__file__)),
                str(script),
                build.function_name,
                str(folder.attempt),
                self._launcher.address.url,
                str(self._settings.workbench_model_alone_seconds),
            ],
            environment={
                **self._database.read(lambda s: project_environment(s, row.project_id)),
                **row.environment,
            },
            own={served.TOKEN_VARIABLE: keys.of_deployment(self._launcher.address.key, row.id)},
            gpus=row.gpus,
        )

    # After the launch

    async def _follow(self, row: ModelDeploymentRow) -> None:
        folder = self.folder(row)
        if (ended := folder.ended()) is not None:
            await self._die(row, ended)
        elif not folder.begun():
            await self._await_claim(row, folder)
        elif folder.watcher() is None:
            await self._follow_lost(row, folder)
        elif row.status == at.DEPLOYING and folder.read(served.READY) is not None:
            await self._deployed(row)

    async def _deployed(self, row: ModelDeploymentRow) -> None:
        if not await change(self._database, row, status=at.DEPLOYED):
            return
        log.info("model deployed", deployment=row.id, model=row.model_id)
        # A model is served by one deployment: the newest that is there.
        for older in self._database.read(_active):
            if older.model_id == row.model_id and older.seq < row.seq:
                await change(self._database, older, status=at.STOPPING)

    async def _await_claim(self, row: ModelDeploymentRow, folder: RunFolder) -> None:
        watcher = self._watchers.get(row.id)
        if watcher is not None and watcher.poll() is None:
            return
        # Launched by a workbench that died, or the watcher itself did; nothing can begin any more.
        if not folder.abandon():
            return
        if watcher is None:
            await change(self._database, row, status=at.PENDING)
        else:
            await self._die(row, Ended(shim.EXITED, None, utc_now()))

    async def _follow_lost(self, row: ModelDeploymentRow, folder: RunFolder) -> None:
        if (ended := folder.ended()) is not None:  # between the look before and this one
            await self._die(row, ended)
        elif not leftovers.kill(row.id):
            folder.say("the process's watcher is gone (killed, or the machine was restarted)")
            await self._die(row, Ended(shim.EXITED, None, utc_now()))

    async def _die(self, row: ModelDeploymentRow, ended: Ended) -> None:
        """What follows when a process ended that was to serve."""
        folder = self.folder(row)
        self._reap(row)
        started = folder.started()
        steady = started is not None and ended.at - started > STEADY
        deaths = 1 if steady else row.deaths + 1
        how = "ended" if ended.exit_code is None else describe_exit(ended.exit_code)
        if ended.exit_code == served.NEVER:
            await self._fail(row, "the script cannot be served; see above")
        elif deaths > RESTARTS:
            await self._fail(row, f"the process {how} {deaths} times in a row; see above")
        else:
            pause = self._pause_after(deaths)
            folder.say(f"the process {how}; it is started again in {pause:g} s")
            retry_at = utc_now() + timedelta(seconds=pause)
            await change(
                self._database, row, status=at.PENDING, deaths=deaths, retry_at=retry_at, gpus=[]
            )

    async def _fail(self, row: ModelDeploymentRow, reason: str) -> None:
        log.warning("model cannot be served", deployment=row.id, reason=reason)
        self.folder(row).say(f"failed: {reason}")
        await self._end(row, at.FAILED)

    async def _end(self, row: ModelDeploymentRow, status: str) -> None:
        self._pauses.pop(row.id, None)
        await change(self._database, row, status=status, stopped_at=utc_now(), gpus=[])

    def _reap(self, row: ModelDeploymentRow) -> None:
        if (watcher := self._watchers.pop(row.id, None)) is not None:
            # To write the end was its last act but to exit.
            with contextlib.suppress(subprocess.TimeoutExpired):
                watcher.wait(_REAP_SECONDS)

    def _tell_once(self, row: ModelDeploymentRow, what: str) -> None:
        if self._first(row, what):
            self.folder(row).say(what)

    def _first(self, row: ModelDeploymentRow, what: str) -> bool:
        """Whether this is the first time for this launch."""
        key = (row.id, row.attempt, what)
        first = key not in self._told
        self._told.add(key)
        return first


def _unbuilt(session: Session) -> Sequence[ModelBuildRow]:
    wanted = ModelBuildRow.status.in_((at.PENDING, at.BUILDING))
    return session.scalars(select(ModelBuildRow).where(wanted).order_by(ModelBuildRow.seq)).all()


def _active(session: Session) -> Sequence[ModelDeploymentRow]:
    wanted = ModelDeploymentRow.status.in_(at.ACTIVE)
    return session.scalars(
        select(ModelDeploymentRow).where(wanted).order_by(ModelDeploymentRow.seq)
    ).all()


def _label_of(session: Session, row: ModelDeploymentRow) -> str:
    of_it = ModelRow.id == row.model_id
    return session.scalars(select(ModelRow.accelerator_label_id).where(of_it)).one()


def _build_of(session: Session, row: ModelDeploymentRow) -> ModelBuildRow:
    return session.scalars(select(ModelBuildRow).where(ModelBuildRow.id == row.build_id)).one()
