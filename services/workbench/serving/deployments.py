"""Moves deployments of models to their requested states, and finds them again after a restart.

If a deployment's folder and the workbench's record differ, the folder is right, as with runs. Each
launch has its own folder, which is created only when no process of the launch before can be left.
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
from services.workbench.api import keys
from services.workbench.engine import leftovers, process_watcher, states
from services.workbench.engine.context import EngineContext
from services.workbench.engine.folder import Ended, RunFolder
from services.workbench.engine.launch import Task, project_environment
from services.workbench.engine.process_ends import SAFETY, SOON
from services.workbench.engine.states import change
from services.workbench.serving import builds, served
from services.workbench.store.tables import ModelBuildRow, ModelDeploymentRow, ModelRow, utc_now

log = structlog.get_logger()

RESTARTS = 3
"""Number of times in a row that a process is started again after it has failed."""
PAUSE_GROWTH = 4
STEADY = timedelta(minutes=10)
"""A process that ran for this time has started successfully."""
_REAP_SECONDS = 1.0
_POLL_SECONDS = 0.05


class Deployments:
    """The builds and deployments of models that are not in their final state."""

    def __init__(self, context: EngineContext) -> None:
        self._database = context.database
        self._settings = context.settings
        self._machine = context.machine
        self._launcher = context.launcher
        self._ends = context.ends
        self._watchers: dict[str, subprocess.Popen[bytes]] = {}
        self._done_once: set[tuple[str, int, str]] = set()
        self._without_gpus: set[str] = set()
        """Deployments that waited for GPUs at the last step."""
        self._pauses: dict[str, tuple[datetime, float]] = {}
        """End of the pause before the next launch of each deployment, by the monotonic clock."""

    async def step(self) -> float | None:
        """Takes one step for each build and deployment.

        Returns the seconds until the next step is needed, if nothing happens before; None if
        nothing is left to do.
        """
        wanted = ModelBuildRow.status.in_((states.PENDING, states.BUILDING))
        unbuilt = select(ModelBuildRow).where(wanted).order_by(ModelBuildRow.seq)
        for build in self._database.read(lambda session: session.scalars(unbuilt).all()):
            await self._build(build)
        self._without_gpus.clear()
        for deployment in self._database.read(_active):
            try:
                if deployment.status == states.STOPPING:
                    if self._is_over(deployment):
                        await self._end(deployment, states.STOPPED)
                elif deployment.status == states.PENDING:
                    await self._await_launch(deployment)
                else:
                    await self._follow(deployment)
            except Exception:
                # One deployment's trouble must not end the watch over all others.
                log.exception("a deployment could not be moved on", deployment=deployment.id)
        active = self._database.read(_active)
        if not active:
            return None
        return SAFETY if all(map(self._is_steady, active)) else SOON

    def _is_steady(self, row: ModelDeploymentRow) -> bool:
        """True if an event will tell when there is something to be done for a deployment."""
        if row.status == states.PENDING:
            return row.id in self._without_gpus
        watcher = self.folder(row).watcher()
        return row.status == states.DEPLOYED and watcher is not None and self._ends.follow(watcher)

    async def close(self) -> None:
        """Ends all processes, because nobody can call them; the next start launches them again."""
        for row in self._database.read(_active):
            if row.status in (states.DEPLOYING, states.DEPLOYED):
                await change(self._database, row, status=states.PENDING)
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
        if not await change(self._database, build, status=states.BUILDING):
            return
        fault = await asyncio.to_thread(
            builds.fault, self._settings.project, build.file_path, build.function_name
        )
        log.info("model built", build=build.id, fault=fault)
        await change(
            self._database,
            build,
            status=states.BUILD_FAILED if fault else states.BUILT,
            fault=fault or "",
            built_at=None if fault else utc_now(),
        )

    # Before the launch, and the end of a launch that is not wanted any more

    async def _await_launch(self, row: ModelDeploymentRow) -> None:
        of_it = select(ModelBuildRow).where(ModelBuildRow.id == row.build_id)
        build = self._database.read(lambda session: session.scalars(of_it).one())
        if build.status == states.BUILD_FAILED:
            await self._fail(row, f"the build failed: {build.fault}")
        elif build.status == states.BUILT and self._is_over(row):
            if row.gpus:
                await change(self._database, row, gpus=[])
                self._ends.wake.set()  # Others may wait for them.
            if row.retry_at is not None and not self._pause_is_over(row, row.retry_at):
                return
            gpus = self._free_gpus(row)
            if gpus is not None:
                await self._launch(row, build, gpus)
            else:
                self._without_gpus.add(row.id)
                self._say_once(row, "waiting until the GPUs it asks for are free")

    def _pause_is_over(self, row: ModelDeploymentRow, retry_at: datetime) -> bool:
        known, until = self._pauses.get(row.id, (None, 0.0))
        if known != retry_at:
            # A clock that was set back makes it no longer than it was to be.
            left = min((retry_at - utc_now()).total_seconds(), self._pause_after(row.deaths))
            until = time.monotonic() + left
            self._pauses[row.id] = (retry_at, until)
        return time.monotonic() >= until

    def _pause_after(self, deaths: int) -> float:
        """Seconds before a process is started again that has failed so many times in a row."""
        growth: int = PAUSE_GROWTH ** (deaths - 1)
        return self._settings.workbench_model_pause_seconds * growth

    def _is_over(self, row: ModelDeploymentRow) -> bool:
        """True if no process of the last launch is left; otherwise ends the remaining ones, at
        first by request."""
        folder = self.folder(row)
        watcher = self._watchers.get(row.id)
        if row.attempt == 0 or folder.ended() is not None:
            self._reap(row)
            return True
        if not folder.begun():
            # A watcher that lives may begin at any moment, and can be told to stop then.
            return (watcher is None or watcher.poll() is not None) and folder.abandon()
        if folder.watcher() is not None:
            if self._first_time(row, "stop"):
                folder.ask_to_stop()
            return False
        return folder.ended() is not None or not leftovers.kill(row.id)

    def _free_gpus(self, row: ModelDeploymentRow) -> list[str] | None:
        """GPUs for the deployment; fewer than requested if the machine has fewer, None if they are
        not free."""
        of_it = select(ModelRow.accelerator_label_id).where(ModelRow.id == row.model_id)
        label = self._database.read(lambda session: session.scalars(of_it).one())
        there = [gpu.index for gpu in self._machine.gpus_of(label)]
        wanted = min(row.nvidia_gpu, len(there))
        held = self._database.read(states.held_gpus)
        free = [gpu for gpu in there if gpu not in held]
        return free[:wanted] if wanted <= len(free) else None

    async def _launch(self, row: ModelDeploymentRow, build: ModelBuildRow, gpus: list[str]) -> None:
        attempt = row.attempt + 1
        if not await change(
            self._database, row, status=states.DEPLOYING, attempt=attempt, gpus=gpus, retry_at=None
        ):
            return
        if len(gpus) < row.nvidia_gpu:
            has = f"{len(gpus)} GPU(s)" if gpus else "no GPU, so it is served on the CPU"
            self._say_once(row, f"it asks for {row.nvidia_gpu} GPU(s); the machine has {has}")
        folder, address = self.folder(row), self._launcher.address
        task = Task(
            engine_id=row.id,
            project_id=row.project_id,
            folder=folder,
            command=[
                str(Path(served.__file__)),
                str(self._settings.project / build.file_path),
                build.function_name,
                str(folder.attempt),
                address.url,
                str(self._settings.workbench_model_alone_seconds),
            ],
            environment={
                **self._database.read(lambda s: project_environment(s, row.project_id)),
                **row.environment,
            },
            own={served.TOKEN_VARIABLE: keys.of_deployment(address.key, row.id)},
            gpus=row.gpus,
        )
        try:
            self._watchers[row.id] = self._launcher.launch(task)
        except OSError as error:
            await self._fail(row, f"the process could not be started: {error}")

    # After the launch

    async def _follow(self, row: ModelDeploymentRow) -> None:
        folder = self.folder(row)
        if (ended := folder.ended()) is not None:
            await self._restart_or_fail(row, ended)
        elif not folder.begun():
            await self._await_claim(row, folder)
        elif folder.watcher() is None:
            # The watcher may have written the end after it was asked for above.
            if (ended := folder.ended()) is not None:
                await self._restart_or_fail(row, ended)
            elif not leftovers.kill(row.id):
                folder.say("the process's watcher is gone (killed, or the machine was restarted)")
                await self._restart_or_fail(row, Ended(process_watcher.EXITED, None, utc_now()))
        elif row.status == states.DEPLOYING and folder.read(served.READY) is not None:
            if not await change(self._database, row, status=states.DEPLOYED):
                return
            log.info("model deployed", deployment=row.id, model=row.model_id)
            # A model is served by one deployment: the newest that is there.
            for older in self._database.read(_active):
                if older.model_id == row.model_id and older.seq < row.seq:
                    await change(self._database, older, status=states.STOPPING)

    async def _await_claim(self, row: ModelDeploymentRow, folder: RunFolder) -> None:
        watcher = self._watchers.get(row.id)
        if watcher is not None and watcher.poll() is None:
            return
        # Launched by a workbench that died, or the watcher itself did; nothing can begin any more.
        if not folder.abandon():
            return
        if watcher is None:
            await change(self._database, row, status=states.PENDING)
        else:
            await self._restart_or_fail(row, Ended(process_watcher.EXITED, None, utc_now()))

    async def _restart_or_fail(self, row: ModelDeploymentRow, ended: Ended) -> None:
        """Changes the state of a deployment whose process has ended without a request to stop."""
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
            await change(
                self._database,
                row,
                status=states.PENDING,
                deaths=deaths,
                retry_at=utc_now() + timedelta(seconds=pause),
                gpus=[],
            )
            self._ends.wake.set()

    async def _fail(self, row: ModelDeploymentRow, reason: str) -> None:
        log.warning("model cannot be served", deployment=row.id, reason=reason)
        self.folder(row).say(f"failed: {reason}")
        await self._end(row, states.FAILED)

    async def _end(self, row: ModelDeploymentRow, status: str) -> None:
        self._pauses.pop(row.id, None)
        await change(self._database, row, status=status, stopped_at=utc_now(), gpus=[])
        self._ends.wake.set()  # Others may wait for its GPUs.

    def _reap(self, row: ModelDeploymentRow) -> None:
        if (watcher := self._watchers.pop(row.id, None)) is not None:
            # To write the end was its last act but to exit.
            with contextlib.suppress(subprocess.TimeoutExpired):
                watcher.wait(_REAP_SECONDS)

    def _say_once(self, row: ModelDeploymentRow, what: str) -> None:
        if self._first_time(row, what):
            self.folder(row).say(what)

    def _first_time(self, row: ModelDeploymentRow, what: str) -> bool:
        """True at the first call about a launch."""
        key = (row.id, row.attempt, what)
        first = key not in self._done_once
        self._done_once.add(key)
        return first


def _active(session: Session) -> Sequence[ModelDeploymentRow]:
    wanted = ModelDeploymentRow.status.in_(states.ACTIVE)
    return session.scalars(
        select(ModelDeploymentRow).where(wanted).order_by(ModelDeploymentRow.seq)
    ).all()
