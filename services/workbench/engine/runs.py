"""Moves job runs from SCHEDULING to their end, and finds them again after a restart.

If a run's folder and the workbench's record differ, the folder is right. Each change of state is
one transaction, committed before the action that needs it: a run is STARTING on disk before
anything is started. So a workbench that was killed at any point finds out at the next start what
was done.
"""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import Sequence

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cmlapi import EngineStatus
from ft.job_protocol.exit_status import describe_exit
from ft.job_protocol.variables import CANNOT_RUN, JOB_LOG, JOB_TITLE, NUM_WORKERS
from services.workbench.engine import job_log, leftovers, process_watcher
from services.workbench.engine.context import EngineContext
from services.workbench.engine.folder import Ended, RunFolder
from services.workbench.engine.launch import project_environment
from services.workbench.engine.states import (
    ACTIVE,
    LAUNCHED,
    UNFINISHED,
    Value,
    change,
    held_gpus,
)
from services.workbench.host.machine import Demand, Holder
from services.workbench.store.tables import (
    JobRow,
    JobRunRow,
    ModelDeploymentRow,
    ModelRow,
    utc_now,
)

log = structlog.get_logger()

_REAP_SECONDS = 0.2


class JobRuns:
    """The runs of jobs that have not ended."""

    def __init__(self, context: EngineContext) -> None:
        self._database = context.database
        self._settings = context.settings
        self._machine = context.machine
        self._launcher = context.launcher
        self._watchers: dict[str, subprocess.Popen[bytes]] = {}
        self._stop_requested: set[str] = set()
        self._wait_logged: set[str] = set()
        self.waiting: dict[str, str] = {}
        """Reasons why runs have not begun yet, by the ids of the runs."""

    async def step(self) -> bool:
        """Takes one step for each run; returns False if all runs have ended."""
        for run in self._database.read(_unfinished):
            if run.status in LAUNCHED:
                try:
                    await self._follow(run)
                except Exception:
                    # One run's trouble must not end the watch over all others.
                    log.exception("a run could not be moved on; trying again", run=run.id)
        await self._admit()
        await self._delete_jobs()
        return bool(self._database.read(_unfinished))

    # Runs that were launched

    async def _follow(self, run: JobRunRow) -> None:
        folder = self._folder(run)
        if (ended := folder.ended()) is not None:
            await self._finish(run, ended)
        elif not folder.begun():
            await self._await_claim(run, folder)
        elif folder.watcher() is None:
            # The watcher may have written the end after it was asked for above.
            if (ended := folder.ended()) is not None:
                await self._finish(run, ended)
            elif not leftovers.kill(run.id):  # else it is over when the next step finds none
                folder.say(
                    "the run's watcher is gone (killed, or the machine was restarted), so how the "
                    "script ended is not known"
                )
                stopping = run.status == EngineStatus.STOPPING
                outcome = process_watcher.STOPPED if stopping else process_watcher.EXITED
                await self._finish(run, Ended(outcome, None, utc_now()))
        elif run.status == EngineStatus.STOPPING:
            if run.id not in self._stop_requested:
                self._stop_requested.add(run.id)
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
            await self._finish(run, Ended(process_watcher.STOPPED, None, utc_now()))
        elif watcher is not None:
            folder.say("the run's watcher died before it began")
            await self._finish(run, Ended(process_watcher.EXITED, None, utc_now()))
        else:
            await self._change(
                run, status=EngineStatus.SCHEDULING, attempt=run.attempt + 1, gpus=[]
            )

    async def _finish(self, run: JobRunRow, ended: Ended) -> None:
        folder = self._folder(run)
        if ended.outcome == process_watcher.STOPPED:
            status = EngineStatus.STOPPED
        elif ended.outcome == process_watcher.TIMED_OUT:
            status = EngineStatus.TIMEDOUT
        elif ended.exit_code == 0:
            status = EngineStatus.SUCCEEDED
        else:
            status = EngineStatus.FAILED
            if ended.exit_code is not None:
                folder.say(f"the script {describe_exit(ended.exit_code)}")
            if log_file := run.environment.get(JOB_LOG):
                with contextlib.suppress(OSError):
                    job_log.append_end(folder.output, self._settings.project / log_file)
        started = run.running_at or folder.started()
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
                await asyncio.to_thread(watcher.wait, _REAP_SECONDS)
        self._stop_requested.discard(run.id)

    # Runs that may begin

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
                self._record_wait(run, f"{CANNOT_RUN}{shortfall}")
                continue
            held = [self._demand(other) for other in runs if other.status in LAUNCHED]
            gpus = self._machine.grant(demand, held, self._database.read(held_gpus))
            if ahead or gpus is None:
                # First come, first served: smaller runs behind one that waits do so too.
                why = self._machine.wait(demand, self._holders(runs))
                turn = f"it starts after {ahead}" if ahead else ""
                self._record_wait(run, "; ".join(filter(None, [why, turn])))
                ahead = ahead or self._name(run)
                continue
            self.waiting.pop(run.id, None)
            try:
                await self._start(run, gpus)
            except Exception:
                # Those behind it need not wait for what is wrong with this one.
                log.exception("run not started", run=run.id)

    def _holders(self, runs: Sequence[JobRunRow]) -> list[Holder]:
        """Lists the launched runs, and the served models that hold GPUs."""
        found = []
        for run in runs:
            if run.status in LAUNCHED:
                held = self._demand(run)
                found.append(Holder(self._name(run), held.cpu, held.memory, tuple(run.gpus)))
        table = ModelDeploymentRow
        query = select(ModelRow.name, table.gpus).join(ModelRow, ModelRow.id == table.model_id)
        active = query.where(table.status.in_(ACTIVE))
        rows = self._database.read(lambda session: session.execute(active).all())
        served = [Holder(f"served model {name}", gpus=tuple(gpus)) for name, gpus in rows if gpus]
        return found + served

    def _name(self, run: JobRunRow) -> str:
        """Display name of the run's job."""
        if title := run.environment.get(JOB_TITLE):
            return title
        wanted = select(JobRow.name).where(JobRow.id == run.job_id)
        return self._database.read(lambda s: s.scalar(wanted)) or run.id

    def _record_wait(self, run: JobRunRow, why: str) -> None:
        if run.id not in self._wait_logged:
            self._wait_logged.add(run.id)
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
            await self._finish(run, Ended(process_watcher.EXITED, None, utc_now()))

    async def _delete_jobs(self) -> None:
        """Deletes jobs whose deletion was requested, with their folders, when their runs have
        ended."""

        def deletable(session: Session) -> Sequence[str]:
            busy = select(JobRunRow.job_id).where(JobRunRow.status.in_(UNFINISHED))
            wanted = select(JobRow.id).where(JobRow.deleting, JobRow.id.not_in(busy))
            return session.scalars(wanted).all()

        jobs = self._database.read(deletable)
        if not jobs:
            return
        runs = select(JobRunRow.id).where(JobRunRow.job_id.in_(jobs))
        for run_id in self._database.read(lambda session: session.scalars(runs).all()):
            shutil.rmtree(self._settings.runs_dir / run_id, ignore_errors=True)
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
