"""Takes runs from SCHEDULING to their end, and finds them again after a restart.

One loop looks at every run that is not over and moves it on: what a run's folder says is stronger
than what the workbench remembers. Each move is one transaction, made before the deed that needs it
(a run is STARTING on disk before anything is started), so that a workbench that dies anywhere finds
out at the next start what was done.
"""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cmlapi import EngineStatus
from ft.job_protocol.exit_status import describe_exit
from ft.job_protocol.variables import CANNOT_RUN, JOB_LOG, JOB_TITLE, NUM_WORKERS
from services.workbench.engine import last_words, leftovers, shim
from services.workbench.engine.folder import Ended, RunFolder
from services.workbench.engine.launch import project_environment
from services.workbench.engine.means import Means
from services.workbench.engine.states import (
    ACTIVE,
    LAUNCHED,
    UNFINISHED,
    Value,
    change,
    held_gpus,
)
from services.workbench.machine import Demand, Holder
from services.workbench.serving.deployments import Deployments
from services.workbench.tables import (
    JobRow,
    JobRunRow,
    ModelDeploymentRow,
    ModelRow,
    utc_now,
)

log = structlog.get_logger()

_LOOK_SECONDS = 0.2


class Engine:
    """The workbench's runs in motion."""

    def __init__(self, means: Means, deployments: Deployments) -> None:
        self._deployments = deployments
        self._database = means.database
        self._settings = means.settings
        self._machine = means.machine
        self._launcher = means.launcher
        self._watchers: dict[str, subprocess.Popen[bytes]] = {}
        self._told_to_stop: set[str] = set()
        self._told_why: set[str] = set()
        self._wake = asyncio.Event()
        self._looked = asyncio.Condition()
        self.waiting: dict[str, str] = {}
        """For what runs wait that are to begin, by their ids."""

    def wake(self) -> None:
        """Look at once: something was asked for."""
        self._wake.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for `condition`, which is tried after every look."""
        async with self._looked:
            await self._looked.wait_for(condition)

    async def run(self) -> None:
        """Look after runs and deployments until cancelled."""
        while True:
            self._wake.clear()
            pause: float | None = _LOOK_SECONDS
            try:
                if not await self._look():
                    pause = None
            except Exception:
                log.exception("the runs could not be looked after; trying again")
            async with self._looked:
                self._looked.notify_all()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)

    async def _look(self) -> bool:
        """Move everything on by a step; whether there is anything to look at again."""
        for run in self._database.read(_unfinished):
            if run.status in LAUNCHED:
                try:
                    await self._follow(run)
                except Exception:
                    # One run's trouble must not end the watch over all others.
                    log.exception("a run could not be looked after; trying again", run=run.id)
        await self._admit()
        await self._delete_jobs()
        # In the same loop, so that no GPU is given away twice.
        deployed = await self._deployments.look()
        return deployed or bool(self._database.read(_unfinished))

    # What becomes of runs that were launched

    async def _follow(self, run: JobRunRow) -> None:
        folder = self._folder(run)
        if (ended := folder.ended()) is not None:
            await self._finish(run, ended)
        elif not folder.begun():
            await self._await_claim(run, folder)
        elif folder.watcher() is None:
            await self._follow_lost(run, folder)
        elif run.status == EngineStatus.STOPPING:
            if run.id not in self._told_to_stop:
                self._told_to_stop.add(run.id)
                folder.ask_to_stop()
        elif run.status == EngineStatus.STARTING and (at := folder.started()) is not None:
            await self._change(run, status=EngineStatus.RUNNING, running_at=run.after(at))

    async def _await_claim(self, run: JobRunRow, folder: RunFolder) -> None:
        watcher = self._watchers.get(run.id)
        if watcher is not None and watcher.poll() is None:
            return
        # Launched by a workbench that died, or the watcher itself did. Either way nothing has
        # begun, and from here on this attempt cannot.
        if not folder.abandon():
            return
        if run.status == EngineStatus.STOPPING:
            await self._finish(run, Ended(shim.STOPPED, None, utc_now()))
        elif watcher is not None:
            folder.say("the run's watcher died before it began")
            await self._finish(run, Ended(shim.EXITED, None, utc_now()))
        else:
            await self._change(
                run, status=EngineStatus.SCHEDULING, attempt=run.attempt + 1, gpus=[]
            )

    async def _follow_lost(self, run: JobRunRow, folder: RunFolder) -> None:
        if (ended := folder.ended()) is not None:  # between the look before and this one
            await self._finish(run, ended)
        elif leftovers.kill(run.id):
            return  # it is over when the next look finds none
        else:
            folder.say(
                "the run's watcher is gone (killed, or the machine was restarted), so how the "
                "script ended is not known"
            )
            stopping = run.status == EngineStatus.STOPPING
            outcome = shim.STOPPED if stopping else shim.EXITED
            await self._finish(run, Ended(outcome, None, utc_now()))

    async def _finish(self, run: JobRunRow, ended: Ended) -> None:
        status = _final_status(ended)
        self._tell_end(run, ended)
        started = run.running_at or self._folder(run).started()
        running = run.after(started) if started else None
        log.info("run finished", run=run.id, status=status, exit_code=ended.exit_code)
        await self._change(
            run,
            status=status,
            exit_code=ended.exit_code,
            running_at=running,
            finished_at=max(run.after(ended.at), running or ended.at),
        )
        if (watcher := self._watchers.pop(run.id, None)) is not None:
            # To write the end was its last act but to exit.
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(watcher.wait, _LOOK_SECONDS)
        self._told_to_stop.discard(run.id)

    def _tell_end(self, run: JobRunRow, ended: Ended) -> None:
        """Say how a run failed, in its output, and in the job's own log what that lacks of it."""
        if ended.outcome != shim.EXITED or ended.exit_code == 0:
            return
        folder = self._folder(run)
        said = f"the script {describe_exit(ended.exit_code)}" if ended.exit_code is not None else ""
        if said:
            folder.say(said)
        if log_file := run.environment.get(JOB_LOG):
            job_log = self._settings.project / log_file
            with contextlib.suppress(OSError):
                last_words.bring(folder.output, job_log)

    # Which runs may begin

    async def _admit(self) -> None:
        runs = self._database.read(_unfinished)
        self.waiting = {id: why for id, why in self.waiting.items() if id in {r.id for r in runs}}
        ahead: str = ""
        for run in runs:
            if run.status != EngineStatus.SCHEDULING:
                continue
            demand = self._demand(run)
            if (shortfall := self._machine.shortfall(demand)) is not None:
                # It waits for a larger machine, as in a workspace; those behind it need not. The
                # studio does not let its own jobs wait for that.
                self._tell_why(run, f"{CANNOT_RUN}{shortfall}")
                continue
            held = [self._demand(other) for other in runs if other.status in LAUNCHED]
            gpus = self._machine.grant(demand, held, self._database.read(held_gpus))
            if ahead or gpus is None:
                # First come, first served: smaller runs behind one that waits do so too.
                why = self._machine.wait(demand, self._holders(runs))
                turn = f"it starts after {ahead}" if ahead else ""
                self._tell_why(run, "; ".join(filter(None, [why, turn])))
                ahead = ahead or self._name(run)
                continue
            self.waiting.pop(run.id, None)
            try:
                await self._start(run, gpus)
            except Exception:
                # Those behind it need not wait for what is wrong with this one.
                log.exception("run not started", run=run.id)

    def _holders(self, runs: Sequence[JobRunRow]) -> list[Holder]:
        found = []
        for run in runs:
            if run.status in LAUNCHED:
                held = self._demand(run)
                found.append(Holder(self._name(run), held.cpu, held.memory, tuple(run.gpus)))
        return found + self._database.read(_serving)

    def _name(self, run: JobRunRow) -> str:
        """Display name of the run's job."""
        if title := run.environment.get(JOB_TITLE):
            return title
        wanted = select(JobRow.name).where(JobRow.id == run.job_id)
        return self._database.read(lambda s: s.scalar(wanted)) or run.id

    def _tell_why(self, run: JobRunRow, why: str) -> None:
        if run.id not in self._told_why:
            self._told_why.add(run.id)
            log.warning("run waits", run=run.id, why=why)
            self._folder(run).say(why)
        self.waiting[run.id] = why

    async def _start(self, run: JobRunRow, gpus: list[str]) -> None:
        started = await self._change(
            run, status=EngineStatus.STARTING, starting_at=run.after(utc_now()), gpus=gpus
        )
        if not started:
            return
        try:
            environment = self._database.read(lambda s: project_environment(s, run.project_id))
            self._watchers[run.id] = self._launcher.launch_run(run, environment, gpus)
        except OSError as error:
            log.error("run cannot be started", run=run.id, error=str(error))
            self._folder(run).say(f"the run could not be started: {error}")
            await self._finish(run, Ended(shim.EXITED, None, utc_now()))

    # Jobs that are to go

    async def _delete_jobs(self) -> None:
        jobs = self._database.read(_deletable)
        for run_id in self._database.read(lambda session: _runs_of(session, jobs)):
            shutil.rmtree(self._settings.runs_dir / run_id, ignore_errors=True)
        if jobs:
            await self._database.write(
                lambda session: session.execute(delete(JobRow).where(JobRow.id.in_(jobs)))
            )

    def _demand(self, run: JobRunRow) -> Demand:
        one = Demand(run.cpu, run.memory, run.nvidia_gpu, run.accelerator_label_id)
        workers = run.environment.get(NUM_WORKERS, "")
        return self._machine.for_workers(one, int(workers) if workers.isdecimal() else 1)

    def _folder(self, run: JobRunRow) -> RunFolder:
        return RunFolder(self._settings.runs_dir, run.id, run.attempt)

    async def _change(self, run: JobRunRow, **values: Value) -> bool:
        return await change(self._database, run, **values)


def _unfinished(session: Session) -> Sequence[JobRunRow]:
    return session.scalars(
        select(JobRunRow).where(JobRunRow.status.in_(UNFINISHED)).order_by(JobRunRow.seq)
    ).all()


def _serving(session: Session) -> list[Holder]:
    """Served models that hold GPUs."""
    table = ModelDeploymentRow
    query = select(ModelRow.name, table.gpus).join(ModelRow, ModelRow.id == table.model_id)
    rows = session.execute(query.where(table.status.in_(ACTIVE))).all()
    return [Holder(f"served model {name}", gpus=tuple(gpus)) for name, gpus in rows if gpus]


def _final_status(ended: Ended) -> str:
    if ended.outcome == shim.STOPPED:
        return EngineStatus.STOPPED
    if ended.outcome == shim.TIMED_OUT:
        return EngineStatus.TIMEDOUT
    return EngineStatus.SUCCEEDED if ended.exit_code == 0 else EngineStatus.FAILED


def _deletable(session: Session) -> Sequence[str]:
    busy = select(JobRunRow.job_id).where(JobRunRow.status.in_(UNFINISHED))
    return session.scalars(select(JobRow.id).where(JobRow.deleting, JobRow.id.not_in(busy))).all()


def _runs_of(session: Session, jobs: Sequence[str]) -> Sequence[str]:
    return session.scalars(select(JobRunRow.id).where(JobRunRow.job_id.in_(jobs))).all()
