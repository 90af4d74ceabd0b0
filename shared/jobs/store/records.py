"""Queries and changes of the jobs of one kind, each with its events in the same transaction."""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, case, delete, func, select, update
from sqlalchemy import Row as RowOf

from chassis.rpc import rules
from chassis.rpc.errors import AlreadyExists
from chassis.store.engine import Store
from chassis.store.records import Records, now
from ft.enums import FailureKind, JobState
from jobs.failures import Failure, Retries, pause_after
from jobs.store.event_log import JobEventLog
from jobs.store.feeds import EventFeeds
from jobs.store.history import (
    JOB,
    PROGRESS,
    REMOVED,
    STATE,
    STUDIO,
    USER,
    WAIT,
    WORKSPACE,
    JobEventRecord,
)
from jobs.store.job_record import JobRecord
from jobs.store.states import sources
from jobs.store.status import REPORTED

Row = TypeVar("Row", bound=JobRecord)
T = TypeVar("T")


class JobRecords(Records[Row]):
    """Reads and writes jobs of one kind, and appends to their event log."""

    def __init__(self, store: Store, kind: type[Row], history: type[JobEventRecord]) -> None:
        super().__init__(store, kind)
        self.log = JobEventLog(store, history)
        self.feeds = EventFeeds(self.log, self.state)

    def state(self, id: str) -> JobState | None:
        """Returns the state of a job; None if there is no such job."""
        query = select(self.table.c.state).where(self.table.c.id == id)
        state = self.store.read(lambda connection: connection.scalar(query))
        return None if state is None else JobState(state)

    async def begin(self, jobs: Sequence[Row], earlier: Sequence[Row] = ()) -> None:
        """Stores new jobs, all or none; `earlier` are jobs that the same request has started.

        Raises AlreadyExists, with the id of the holder, if an id is taken, or if the request's id
        belongs to other jobs than `earlier`; see also `require_startable`.
        """

        def work(connection: Connection) -> None:
            self.lock(connection)
            if request_id := jobs[0].request_id:
                query = select(self.table.c.id).where(self.table.c.request_id == request_id)
                holders = set(connection.scalars(query))
                if holders != {job.id for job in earlier}:
                    raise AlreadyExists(
                        f"request_id: {request_id!r} is already being processed",
                        reason="REQUEST_ID_TAKEN",
                        field="request_id",
                        holder_id=next(iter(holders), ""),
                        rule=rules.UNIQUE.id,
                    )
            for job in jobs:
                self._require_free(connection, {"id": "id"}, {"id": job.id})
                self.require_startable(connection, job)
            self.insert(connection, jobs)
            for job in jobs:
                self.log.add(connection, job.id, STATE, state=job.state, actor=USER)
                notices = json.loads(job.notices or "[]")
                self.log.add_notices(connection, job.id, job.attempt or 1, notices, STUDIO)

        await self.store.write(work)

    def require_startable(self, connection: Connection, job: Row) -> None:
        """Raises AlreadyExists if a new or resumed job conflicts with another one."""

    async def queue_again(self, job: Row, cause: str, actor: str) -> bool:
        """Queues another attempt at a job that has ended.

        Returns False, and changes nothing, if its state allows none. Raises AlreadyExists if the
        job conflicts with another one by now.
        """
        known = [self.table.c.state.in_(sources(JobState.QUEUED))]
        values = {**job.another_attempt(job.state), "state": JobState.QUEUED.value}

        def work(connection: Connection) -> bool:
            self.lock(connection)
            self.require_startable(connection, job)
            if not self._set(connection, job.id, known, **values):
                return False
            self.log.add(connection, job.id, STATE, state=values["state"], cause=cause, actor=actor)
            return True

        return await self._write(job.id, work)

    async def move(
        self,
        id: str,
        to: JobState,
        *,
        cause: str = "",
        actor: str = STUDIO,
        of_run: str | None = None,
        **values: object,
    ) -> bool:
        """Moves a job into a state and sets columns.

        Returns False, and changes nothing, if its state does not allow the move, or if it does not
        exist or has another run than `of_run`. The failure_reason of a job that is stopped is who
        stopped it, and why.
        """
        known: list[ColumnElement[bool]] = [self.table.c.state.in_(sources(to))]
        if of_run is not None:
            known.append(self.table.c.run_id == of_run)

        def work(connection: Connection) -> bool:
            given = dict(values)
            if to == JobState.STOPPED:
                given.setdefault("failure_reason", self.log.stop_reason(connection, id))
            if not self._set(connection, id, known, state=to.value, **given):
                return False
            if to.ended:
                query = select(self.table).where(self.table.c.id == id)
                job = self.record(connection.execute(query).mappings().one())
                # The job has not ended before anything else that happened to it.
                finished = job.in_order(job.finished_at or now(), job.started_at)
                if finished != job.finished_at:
                    self._set(connection, id, [], finished_at=finished)
            self.log.add(connection, id, STATE, state=to.value, cause=cause, actor=actor)
            return True

        return await self._write(id, work)

    async def refuse(self, id: str, cause: str) -> bool:
        """Marks a job as failed because the workspace has refused it before it ran.

        The record stays. If no attempt of the job ran before, its request's id becomes free, so
        that the same request starts a new job.
        """
        ended = {"failure_reason": cause, "failure_kind": FailureKind.REFUSED, "sent_at": None}
        first = func.coalesce(self.table.c.attempt, 1) == 1
        held = case((first, None), else_=self.table.c.request_id)
        return await self.move(
            id, JobState.FAILED, cause=cause, actor=WORKSPACE, request_id=held, **ended
        )

    async def retry(
        self, job: Row, ended: JobState, failure: Failure, first_pause: timedelta
    ) -> bool:
        """Records how an attempt has failed and queues the next one, in one transaction.

        Returns False, and changes nothing, if the job's policy does not allow another attempt or
        the job is stopping. For `first_pause` see `jobs.failures`.
        """
        policy = Retries.read(job.retry) if job.retry else None
        attempt = job.attempt or 1
        if policy is None or not policy.allow(failure.kind, attempt):
            return False
        underway = [s for s in sources(ended) if s != JobState.STOPPING]
        known = [self.table.c.state.in_(underway), self.table.c.run_id == job.run_id]
        queued = JobState.QUEUED.value
        pause = pause_after(attempt, first_pause)
        number = f"attempt {attempt + 1} of {policy.max_attempts}"
        again = f"retried after {failure.kind}, {number} in {pause.total_seconds():g} s"
        queued_up = {**job.another_attempt(ended), "not_before": now() + pause}

        def work(connection: Connection) -> bool:
            if not self._set(connection, job.id, known, state=queued, **queued_up):
                return False
            ending = {"state": ended.value, "cause": failure.cause, "actor": failure.actor}
            self.log.add(connection, job.id, STATE, **ending)
            self.log.add(connection, job.id, STATE, state=queued, cause=again, actor=STUDIO)
            return True

        return await self._write(job.id, work)

    async def mark_sent(self, id: str, **values: object) -> bool:
        """Records that a create request is about to be sent, and sets columns.

        Returns False, and changes nothing, if the job must not be created any more.
        """
        state = self.table.c.state
        queued, dispatching = JobState.QUEUED.value, JobState.DISPATCHING.value

        def work(connection: Connection) -> bool:
            sent = {"state": dispatching, "sent_at": now(), **values}
            if self._set(connection, id, [state == queued], **sent):
                self.log.add(connection, id, STATE, state=dispatching, actor=STUDIO)
                return True
            return self._set(connection, id, [state == dispatching], **sent)

        return await self._write(id, work)

    async def job_created(self, id: str, cml_job_id: str, **values: object) -> bool:
        """Records the workspace's job and that the request for its run is about to be sent, in one
        commit; sets further columns.

        Returns False if no run must be created any more; then only the workspace's job is recorded.
        """
        dispatching = self.table.c.state == JobState.DISPATCHING.value

        def work(connection: Connection) -> bool:
            sent = {"cml_job_id": cml_job_id, "sent_at": now(), **values}
            if self._set(connection, id, [dispatching], **sent):
                return True
            self._set(connection, id, [], cml_job_id=cml_job_id, sent_at=None)
            return False

        return await self.store.write(work)

    async def observed(self, job: Row, **values: Any) -> bool:
        """Sets columns to the observed state of a job's run, and logs its reports.

        Returns False, and changes nothing, if the record has more reports than `job`, or another
        run.
        """
        offset = func.coalesce(self.table.c.reported_offset, 0)
        known = [self.table.c.run_id == job.run_id, offset == (job.reported_offset or 0)]
        reported = {k: v for k, v in values.items() if k in REPORTED and v is not None}
        known_notices = len(json.loads(job.notices or "[]"))
        notices = json.loads(values.get("notices") or "[]")[known_notices:]
        waits = {k: v for k, v in values.items() if k == "waits_for" and v is not None}

        def work(connection: Connection) -> bool:
            if not self._set(connection, job.id, known, **values):
                return False
            if waits:
                progress = json.dumps(waits)
                self.log.add(connection, job.id, WAIT, progress=progress, actor=WORKSPACE)
            if reported:
                progress = json.dumps(reported)
                self.log.add(connection, job.id, PROGRESS, progress=progress, actor=JOB)
            self.log.add_notices(connection, job.id, job.attempt or 1, notices, JOB)
            return True

        return await self._write(job.id, work)

    async def _write(self, id: str, work: Callable[[Connection], T]) -> T:
        """Runs `work`, which concerns one job, in a transaction, and notifies the job's watchers.

        They are notified even if the caller stops waiting, because the write is carried through.
        """
        written = asyncio.ensure_future(self.store.write(work))

        def notify(write: "asyncio.Future[T]") -> None:
            self.feeds.changed(id)
            if not write.cancelled():
                write.exception()  # Nobody may be left to hear of it.

        written.add_done_callback(notify)
        return await asyncio.shield(written)

    def _set(
        self, connection: Connection, id: str, known: Sequence[ColumnElement[bool]], **values: Any
    ) -> bool:
        statement = update(self.table).where(self.table.c.id == id, *known)
        return bool(connection.execute(statement.values(**values, updated_at=now())).rowcount)

    async def forget(self, id: str) -> None:
        """Deletes a job and its events.

        A job that may still arrive in the workspace leaves a mark, so that the reconciler searches
        for it there.
        """

        def work(connection: Connection) -> None:
            sent_at = connection.scalar(select(self.table.c.sent_at).where(self.table.c.id == id))
            connection.execute(delete(self.table).where(self.table.c.id == id))
            self.log.delete(connection, id)
            if sent_at is not None:
                self.log.add(connection, id, REMOVED)

        await self._write(id, work)

    async def note_removed(self, id: str) -> None:
        """Adds the mark of a removed job that may still arrive in the workspace."""
        await self.store.write(lambda connection: self.log.add(connection, id, REMOVED))

    @property
    def underway(self) -> ColumnElement[bool]:
        """Condition that a job has not ended."""
        return self.table.c.state.not_in([state.value for state in JobState if state.ended])

    def in_state(self, state: JobState, after: int, limit: int) -> Sequence[RowOf[int, str]]:
        """Returns numbers and ids of jobs in a state, after a number and oldest first."""
        return self._numbers(self.table.c.state == state.value, after, limit)

    def unsettled(self, after: int = 0, limit: int = 100) -> Sequence[RowOf[int, str]]:
        """Returns numbers and ids of jobs that have ended here, and may still arrive in the
        workspace."""
        # Not the column itself: an index of the few that were sent is better than that of states.
        ended = (self.table.c.state + "").in_([state.value for state in JobState if state.ended])
        return self._numbers(ended & self.table.c.sent_at.is_not(None), after, limit)

    def not_sent(self) -> Sequence[str]:
        """Returns the ids of the jobs that the workspace has not accepted yet."""
        states = [JobState.QUEUED.value, JobState.DISPATCHING.value]
        query = select(self.table.c.id).where(self.table.c.state.in_(states))
        return self.store.read(lambda connection: connection.scalars(query).all())

    def _numbers(
        self, condition: ColumnElement[bool], after: int, limit: int
    ) -> Sequence[RowOf[int, str]]:
        seq = self.table.c.seq
        query = select(seq, self.table.c.id).where(condition, seq > after)
        limited = query.order_by(seq).limit(limit)
        return self.store.read(lambda connection: connection.execute(limited).all())
