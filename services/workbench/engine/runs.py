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
from services.workbench.engine.process_ends import SAFETY, SOON
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
AT_ONCE = 50
"""Most runs of the queue that are read at once."""


class JobRuns:
    """The runs of jobs that have not ended."""

    def __init__(self, context: EngineContext) -> None:
        self._database = context.database
        self._settings = context.settings
        self._machine = context.machine
        self._launcher = context.launcher
        self._watchers: dict[str, subprocess.Popen[bytes]] = {}
        self._ends = context.ends
        self._stop_requested: set[str] = set()
        self._first = 0
        """No run that waits with a lower `seq` can ever begin on this machine."""
        self._reported = 0
        """The output of runs up to this `seq` says why they wait."""
        self._ahead: tuple[int, str] | None = None
        """`seq` and name of the run that begins next, if one waits for resources."""
        self._holders: Sequence[Holder] = ()
        """Runs and served models that hold resources, as of the last step."""

    async def step(self) -> float | None:
        """Takes one step for each run.

        Returns the seconds until the next step is needed, if nothing happens before; None if it is
        not needed then.
        """
        followed = True
        for run in self._database.read(_launched):
            try:
                followed &= await self._follow(run)
            except Exception:
                # One run's trouble must not end the watch over all others.
                log.exception("a run could not be moved on; trying again", run=run.id)
                followed = False
        launched = await self._admit()
        all_reported = await self._report_waiting()
        await self._delete_jobs()
        if (
            not followed
            or not all_reported
            or any(r.status == EngineStatus.STARTING for r in launched)
        ):
            return SOON
        return SAFETY if launched or self._ahead else None

    def reason(self, run: JobRunRow) -> str:
        """Returns the reason why a run has not begun; empty if it has, or is about to."""
        if run.status != EngineStatus.SCHEDULING:
            return ""
        demand = self._demand(run)
        if (shortfall := self._machine.shortfall(demand)) is not None:
            # It waits for a larger machine, as in a workspace; those behind it need not. The
            # studio does not let its own jobs wait for that.
            return f"{CANNOT_RUN}{shortfall}"
        if self._ahead is None:
            return ""
        why = self._machine.wait(demand, self._holders)
        seq, name = self._ahead
        turn = f"it starts after {name}" if seq < run.seq else ""
        return "; ".join(filter(None, [why, turn]))

    # Runs that were launched

    async def _follow(self, run: JobRunRow) -> bool:
        """Moves a run on. Returns True if only the end of its watcher can change it now."""
        folder = self._folder(run)
        if (ended := folder.ended()) is not None:
            await self._finish(run, ended)
            return True
        if not folder.begun():
            await self._await_claim(run, folder)
            return False
        if (watcher := folder.watcher()) is None:
            await self._follow_lost(run, folder)
            return False
        if run.status == EngineStatus.STOPPING:
            if run.id not in self._stop_requested:
                self._stop_requested.add(run.id)
                folder.ask_to_stop()
        elif run.status == EngineStatus.STARTING and (at := folder.started()) is not None:
            await self._change(run, status=EngineStatus.RUNNING, running_at=run.after(at))
        return self._ends.follow(watcher)

    async def _follow_lost(self, run: JobRunRow, folder: RunFolder) -> None:
        # The watcher may have written the end after it was asked for before.
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
            self._first = min(self._first, run.seq)
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

    async def _admit(self) -> list[JobRunRow]:
        """Starts the runs whose turn it is and that fit; returns all that are launched.

        First come, first served: the first that does not fit keeps back those behind it. So only
        the head of the queue is read, however long it is.
        """
        launched = list(self._database.read(_launched))
        self._ahead = None
        after, unfit = self._first - 1, True
        while self._ahead is None and (runs := self._waiting(after)):
            for run in runs:
                after = run.seq
                demand = self._demand(run)
                if self._machine.shortfall(demand) is not None:
                    continue
                if unfit:
                    self._first, unfit = run.seq, False
                held = [self._demand(other) for other in launched]
                gpus = self._machine.grant(demand, held, self._database.read(held_gpus))
                if gpus is None:
                    self._ahead = (run.seq, self._name(run))
                    break
                try:
                    await self._start(run, gpus)
                except Exception:
                    # Those behind it need not wait for what is wrong with this one.
                    log.exception("run not started", run=run.id)
                if run.status in LAUNCHED:
                    launched.append(run)
        if unfit:
            self._first = max(self._first, after + 1)
        self._holders = self._holding(launched) if self._ahead else ()
        return launched

    def _waiting(self, after: int) -> Sequence[JobRunRow]:
        """The next runs of the queue, a few of them."""
        waiting = (JobRunRow.status == EngineStatus.SCHEDULING) & (JobRunRow.seq > after)
        query = select(JobRunRow).where(waiting).order_by(JobRunRow.seq).limit(AT_ONCE)
        return self._database.read(lambda session: session.scalars(query).all())

    async def _report_waiting(self) -> bool:
        """Writes into the output of newly waiting runs why they wait; False if some are left."""
        runs = self._waiting(self._reported)
        for run in runs:
            self._reported = run.seq
            if why := self.reason(run):
                log.warning("run waits", run=run.id, why=why)
                self._folder(run).say(why)
            await asyncio.sleep(0)  # Requests are answered in between.
        return len(runs) < AT_ONCE

    def _holding(self, launched: Sequence[JobRunRow]) -> list[Holder]:
        """Lists the launched runs, and the served models that hold GPUs."""
        found = []
        for run in launched:
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


def _launched(session: Session) -> Sequence[JobRunRow]:
    query = select(JobRunRow).where(JobRunRow.status.in_(LAUNCHED))
    return session.scalars(query.order_by(JobRunRow.seq)).all()
