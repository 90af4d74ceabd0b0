"""What the studio keeps about every job, of whichever kind."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    case,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from chassis.ids import new_id
from chassis.rpc import rules
from chassis.rpc.errors import AlreadyExists, Violations
from chassis.store.convert import rfc3339
from chassis.store.engine import Store
from chassis.store.records import Record, Records, now
from ft.enums import FailureKind, JobState
from ft.proto.fine_tuning_studio_types_pb2 import JobStatus
from jobs.failures import Failure, Retries, pause_after
from jobs.store.history import (
    JOB,
    NOTICE,
    PROGRESS,
    REMOVED,
    STATE,
    STUDIO,
    USER,
    WAIT,
    WORKSPACE,
    JobEventRecord,
)
from jobs.store.states import sources

REPORTED = (
    "step",
    "total_steps",
    "epoch",
    "loss",
    "eval_loss",
    "tokens_per_second",
    "seconds_left",
)
"""Columns that a job's progress is told in."""
_OF_AN_ATTEMPT = (
    "run_id",
    "started_at",
    "finished_at",
    "failure_reason",
    "failure_kind",
    "seconds_left",
    "token_hash",
    "reported_offset",
    "not_before",
    "waits_for",
)
"""Columns that begin empty with another attempt."""


LONG_AGO = datetime(1970, 1, 1)
"""In place of the time at which something was sent that has landed by now, or never will."""


class JobRecord(Record, kw_only=True):
    """Columns of a job's table that are the studio's own; the kind adds the contract's."""

    __abstract__ = True
    RESOURCE = "job"
    NOT_EXPORTED = (
        "run_id",
        "spec",
        "sent_at",
        "request_id",
        "request_digest",
        "token_hash",
        "reported_offset",
        "not_before",
        "waits_for",
    )
    """What would make a job run, or end one, in a studio that imports it."""
    FOLDERS: ClassVar[tuple[str, ...]] = ()
    """Columns with places that the job writes to."""

    cml_job_id: Mapped[str | None] = mapped_column(default=None)
    state: Mapped[str] = mapped_column(default=JobState.QUEUED, index=True, sort_order=500)
    run_id: Mapped[str | None] = mapped_column(default=None, sort_order=501)
    started_at: Mapped[datetime | None] = mapped_column(default=None, sort_order=502)
    finished_at: Mapped[datetime | None] = mapped_column(default=None, sort_order=503)
    step: Mapped[int | None] = mapped_column(default=None, sort_order=504)
    total_steps: Mapped[int | None] = mapped_column(default=None, sort_order=505)
    epoch: Mapped[float | None] = mapped_column(default=None, sort_order=506)
    loss: Mapped[float | None] = mapped_column(default=None, sort_order=507)
    eval_loss: Mapped[float | None] = mapped_column(default=None, sort_order=508)
    tokens_per_second: Mapped[float | None] = mapped_column(default=None, sort_order=509)
    seconds_left: Mapped[float | None] = mapped_column(default=None, sort_order=510)
    failure_reason: Mapped[str | None] = mapped_column(default=None, sort_order=511)
    notices: Mapped[str | None] = mapped_column(default=None, sort_order=512)
    """What the studio changed about the settings, a JSON list of sentences."""
    attempt: Mapped[int | None] = mapped_column(default=1, sort_order=513)
    spec: Mapped[str | None] = mapped_column(default=None, sort_order=514)
    """What the workspace is told, see `jobs.execution.dispatch.JobSpec`."""
    sent_at: Mapped[datetime | None] = mapped_column(default=None, sort_order=515)
    """When a create request was sent whose answer is not recorded; None if there is none."""
    request_id: Mapped[str | None] = mapped_column(default=None, index=True, sort_order=516)
    request_digest: Mapped[str | None] = mapped_column(default=None, sort_order=517)
    """Of the request that came with the id, to tell a repetition from another one."""
    failure_kind: Mapped[str | None] = mapped_column(default=None, sort_order=525)
    retry: Mapped[str | None] = mapped_column(default=None, sort_order=526)
    """When it is tried again by itself, see `jobs.failures.Retries`; never if there is none."""
    not_before: Mapped[datetime | None] = mapped_column(default=None, sort_order=527)
    """When an attempt may begin that was queued by the retry policy."""
    waits_for: Mapped[str | None] = mapped_column(default=None, sort_order=528)
    """Reason why a job has not started, a sentence."""
    token_hash: Mapped[str | None] = mapped_column(default=None, repr=False, sort_order=518)
    """Of the token that the present attempt reports with, see `jobs.execution.link`."""
    reported_offset: Mapped[int | None] = mapped_column(BigInteger, default=None, sort_order=519)
    """Up to where the job's events are known, in bytes of their file."""

    @classmethod
    def moving(cls) -> frozenset[str]:
        """Record of a job while it runs, with the columns of every kind of job."""
        return super().moving() | (JobRecord.__annotations__.keys() & cls.table().columns.keys())

    @classmethod
    def kept(cls) -> frozenset[str]:
        """Ids stay, and so does the folder that the job writes to."""
        ids = {key for key in cls.table().columns.keys() if key.endswith("_id")}  # noqa: SIM118
        return super().kept() | ids | {*cls.FOLDERS}

    @classmethod
    def complete(cls, place: str, values: dict[str, Any], found: Violations) -> None:
        # A job of a studio that kept no states must not look as if it were still under way, and
        # one that another studio has under way is not this one's to go on with.
        state = values.setdefault("state", JobState.UNKNOWN)
        states = [known.value for known in JobState]
        description = f"must be one of {', '.join(states)}, not {state!r}"
        if found.check(f"{place}.state", rules.JOB_ROW, state in states, description):
            values["state"] = state if JobState(state).ended else JobState.UNKNOWN
        notices = values.get("notices", "[]")
        description = "must be a JSON list of sentences"
        found.check(f"{place}.notices", rules.COLUMN_VALUE, _is_notices(notices), description)
        if "retry" in values:
            _check_retry(f"{place}.retry", str(values["retry"]), found)
        # It names a folder of the job's own.
        id = str(values.get("id", ""))
        named = "/" not in id and id not in (".", "..")
        description = f"must be usable as a file's name, not {id!r}"
        found.check(f"{place}.id", rules.JOB_ROW, named, description)

    def folder(self) -> str:
        """The job's own folder, relative to the project directory."""
        raise NotImplementedError

    def status(self) -> JobStatus:
        """What became of the job so far, as clients see it."""
        return JobStatus(
            state=self.state,
            created_at=rfc3339(self.created_at),
            started_at=rfc3339(self.started_at),
            finished_at=rfc3339(self.finished_at),
            step=self.step or 0,
            total_steps=self.total_steps or 0,
            epoch=self.epoch or 0.0,
            loss=self.loss,
            eval_loss=self.eval_loss,
            tokens_per_second=self.tokens_per_second or 0.0,
            seconds_left=self.seconds_left or 0.0,
            failure_reason=self.failure_reason or "",
            notices=json.loads(self.notices or "[]"),
            attempt=self.attempt or 1,
            failure_kind=self.failure_kind or "",
            retry=Retries.read(self.retry).message() if self.retry else None,
            waits_for=self._wait(),
        )

    def _wait(self) -> str:
        if self.state == JobState.QUEUED and self.not_before is not None:
            return f"waits until {rfc3339(self.not_before)} before it is tried again"
        return self.waits_for or "" if self.state == JobState.SCHEDULED else ""

    def in_order(self, time: datetime | None, *earlier: datetime | None) -> datetime | None:
        """The time, but none before the job was recorded or before what came `earlier`: clocks are
        set back, and those of the workspace may differ from the studio's."""
        if time is None:
            return None
        return max([time, self.created_at, *(known for known in earlier if known is not None)])

    @property
    def imported(self) -> bool:
        """Whether another studio has started it, so that it is not this one's to touch."""
        return not self.spec

    def another_attempt(self, after: str) -> dict[str, Any]:
        """Columns with which another attempt at the job is queued after one that ended so."""
        # A job that the workspace has lost, or never had, is looked for before it is made anew.
        known = self.cml_job_id and after != JobState.LOST
        return {
            "attempt": (self.attempt or 1) + 1,
            "cml_job_id": self.cml_job_id if known else None,
            "sent_at": self.sent_at if known else self.sent_at or LONG_AGO,
            **dict.fromkeys(_OF_AN_ATTEMPT),
        }


Row = TypeVar("Row", bound=JobRecord)


class JobRecords(Records[Row]):
    """Reads and writes jobs of one kind, and what happened to them."""

    def __init__(self, store: Store, kind: type[Row], history: type[JobEventRecord]) -> None:
        super().__init__(store, kind)
        self._history = Records(store, history)

    async def begin(self, jobs: Sequence[Row], beside: Sequence[Row] = ()) -> None:
        """Stores new jobs, all or none; `beside` are those that their request has started before.

        Raises AlreadyExists, with the id of the holder, if an id is taken, or if the request's id
        is that of other jobs than `beside`; see also `require_startable`.
        """

        def work(connection: Connection) -> None:
            self.lock(connection)
            if request_id := jobs[0].request_id:
                self._require_unheld(connection, request_id, {job.id for job in beside})
            for job in jobs:
                self._require_free(connection, "id", job.id, "id")
                self.require_startable(connection, job)
            self.insert(connection, jobs)
            for job in jobs:
                self._note(connection, job.id, STATE, state=job.state, actor=USER)
                self._note_notices(connection, job, json.loads(job.notices or "[]"), STUDIO)

        await self.store.write(work)

    def _require_unheld(self, connection: Connection, request_id: str, known: set[str]) -> None:
        query = select(self.table.c.id).where(self.table.c.request_id == request_id)
        holders = set(connection.scalars(query))
        if holders != known:
            raise AlreadyExists(
                f"request_id: {request_id!r} is already being processed",
                reason="REQUEST_ID_TAKEN",
                field="request_id",
                holder_id=next(iter(holders), ""),
                rule=rules.UNIQUE.id,
            )

    def require_startable(self, connection: Connection, job: Row) -> None:
        """Raises AlreadyExists for a job, new or resumed, that is in the way of another."""

    async def queue_again(self, job: Row, cause: str, actor: str) -> bool:
        """Queues another attempt at a job that has ended; False, and nothing done, if its state
        allows none. Raises AlreadyExists if it is in the way of another by now."""
        known = [self.table.c.state.in_(sources(JobState.QUEUED))]
        values = {**job.another_attempt(job.state), "state": JobState.QUEUED.value}

        def work(connection: Connection) -> bool:
            self.lock(connection)
            self.require_startable(connection, job)
            if not self._set(connection, job.id, known, **values):
                return False
            self._note(connection, job.id, STATE, state=values["state"], cause=cause, actor=actor)
            return True

        return await self.store.write(work)

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
        """Moves a job into a state and sets columns; False, and nothing done, if it may not go
        there from where it is (or is not there, or has another run than `of_run`).

        A job that is stopped has who stopped it, and why, as its failure_reason.
        """
        known: list[ColumnElement[bool]] = [self.table.c.state.in_(sources(to))]
        if of_run is not None:
            known.append(self.table.c.run_id == of_run)

        def work(connection: Connection) -> bool:
            given = dict(values)
            if to == JobState.STOPPED:
                given.setdefault("failure_reason", self._why_stopped(connection, id))
            if not self._set(connection, id, known, state=to.value, **given):
                return False
            if to.ended:
                self._finish(connection, id)
            self._note(connection, id, STATE, state=to.value, cause=cause, actor=actor)
            return True

        return await self.store.write(work)

    def _why_stopped(self, connection: Connection, id: str) -> str:
        """Who asked for the stop that a job is in, and why."""
        table = self._history.table
        query = select(table.c.state, table.c.actor, table.c.cause).where(
            table.c.job_id == id, table.c.kind == STATE
        )
        last = connection.execute(query.order_by(table.c.seq.desc()).limit(1)).first()
        if last is None or last.state != JobState.STOPPING.value:
            return "stopped in the workspace"
        by = "a user" if last.actor == USER else f"the {last.actor or STUDIO}"
        return f"stopped by {by}: {last.cause}" if last.cause else f"stopped by {by}"

    async def refuse(self, id: str, cause: str) -> bool:
        """Notes that the workspace has refused a job before anything of it ran.

        The record stays as history. If nothing of the job ran before, its request's id is free:
        sent again, the request starts a new one.
        """
        ended = {"failure_reason": cause, "failure_kind": FailureKind.REFUSED, "sent_at": None}
        first = func.coalesce(self.table.c.attempt, 1) == 1
        held = case((first, None), else_=self.table.c.request_id)
        return await self.move(
            id, JobState.FAILED, cause=cause, actor=WORKSPACE, request_id=held, **ended
        )

    def _finish(self, connection: Connection, id: str) -> None:
        """Has a job that has ended say when, and not before anything else happened to it."""
        row = connection.execute(select(self.table).where(self.table.c.id == id)).mappings().one()
        job = self.record(row)
        finished = job.in_order(job.finished_at or now(), job.started_at)
        if finished != job.finished_at:
            self._set(connection, id, [], finished_at=finished)

    async def retry(
        self, job: Row, ended: JobState, failure: Failure, first_pause: timedelta
    ) -> bool:
        """Notes how an attempt has failed and queues the next one, in one step, so that there is
        neither none nor a second; False, and nothing done, if the job's policy does not allow it
        or the job is to stop. For `first_pause` see `jobs.failures`."""
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
            told = {"cause": failure.cause, "actor": failure.actor}
            self._note(connection, job.id, STATE, state=ended.value, **told)
            self._note(connection, job.id, STATE, state=queued, cause=again, actor=STUDIO)
            return True

        return await self.store.write(work)

    async def mark_sent(self, id: str, **values: object) -> bool:
        """Notes that a create request is about to be sent, and sets columns; False, and nothing
        done, if the job is not to be created any more."""
        state = self.table.c.state
        queued, dispatching = JobState.QUEUED.value, JobState.DISPATCHING.value

        def work(connection: Connection) -> bool:
            sent = {"state": dispatching, "sent_at": now(), **values}
            if self._set(connection, id, [state == queued], **sent):
                self._note(connection, id, STATE, state=dispatching, actor=STUDIO)
                return True
            return self._set(connection, id, [state == dispatching], **sent)

        return await self.store.write(work)

    async def observed(self, job: Row, **values: Any) -> bool:
        """Sets columns to what was seen of a job's run, and keeps what it has reported; False, and
        nothing done, if more of its reports is known than in `job`, or it has another run."""
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
                told = json.dumps(waits)
                self._note(connection, job.id, WAIT, progress=told, actor=WORKSPACE)
            if reported:
                self._note(connection, job.id, PROGRESS, progress=json.dumps(reported), actor=JOB)
            self._note_notices(connection, job, notices, JOB)
            return True

        return await self.store.write(work)

    def _note_notices(
        self, connection: Connection, job: Row, notices: Sequence[str], actor: str
    ) -> None:
        for notice in notices:
            told = json.dumps({"notice": notice, "attempt": job.attempt or 1})
            self._note(connection, job.id, NOTICE, progress=told, actor=actor)

    def _set(
        self, connection: Connection, id: str, known: Sequence[ColumnElement[bool]], **values: Any
    ) -> bool:
        statement = update(self.table).where(self.table.c.id == id, *known)
        return bool(connection.execute(statement.values(**values, updated_at=now())).rowcount)

    async def forget(self, id: str) -> None:
        """Removes a job and its history; one that may still land in the workspace leaves a note,
        for the reconciler to look for it."""

        def work(connection: Connection) -> None:
            sent_at = connection.scalar(select(self.table.c.sent_at).where(self.table.c.id == id))
            connection.execute(delete(self.table).where(self.table.c.id == id))
            events = self._history.table
            connection.execute(delete(events).where(events.c.job_id == id))
            if sent_at is not None:
                self._note(connection, id, REMOVED)

        await self.store.write(work)

    async def note_removed(self, id: str) -> None:
        """Has the reconciler look for a forgotten job that may still land in the workspace."""
        await self.store.write(lambda connection: self._note(connection, id, REMOVED))

    def events(self, id: str, after: int, limit: int) -> list[JobEventRecord]:
        """What happened to a job behind a cursor, oldest first."""
        table = self._history.table
        query = select(table).where(
            table.c.job_id == id, table.c.seq > after, table.c.kind != REMOVED
        )
        rows = self._read(query.order_by(table.c.seq).limit(limit))
        return [self._history.record(row) for row in rows]

    @property
    def underway(self) -> ColumnElement[bool]:
        """That a job has not ended."""
        return self.table.c.state.not_in([state.value for state in JobState if state.ended])

    def unfinished(self) -> Sequence[Row]:
        """Jobs that have not ended, oldest first."""
        return self._where(self.underway)

    def unsettled(self) -> Sequence[Row]:
        """Jobs that have ended for the studio, and may yet land in the workspace."""
        return self._where(~self.underway, self.table.c.sent_at.is_not(None))

    def removed(self) -> Sequence[JobEventRecord]:
        """Notes of forgotten jobs that may yet land in the workspace."""
        return self._history.all(kind=REMOVED)

    async def clear_removed(self, note: JobEventRecord) -> None:
        """The forgotten job is not in the workspace, and will not be."""
        await self._history.remove(id=note.id)

    def _where(self, *conditions: ColumnElement[bool]) -> Sequence[Row]:
        query = select(self.table).where(*conditions).order_by(self.table.c.seq)
        return [self.record(row) for row in self._read(query)]

    def _read(self, query: Select[Any]) -> Sequence[Any]:
        return self.store.read(lambda c: c.execute(query).mappings().all())

    def _note(self, connection: Connection, id: str, kind: str, **fields: Any) -> None:
        table = self._history.table
        before = connection.scalar(select(func.max(table.c.created_at)).where(table.c.job_id == id))
        time = max(now(), before or datetime.min)
        event = self._history.kind(id=new_id(), job_id=id, kind=kind, created_at=time, **fields)
        self._history.insert(connection, [event])


def _check_retry(place: str, text: str, found: Violations) -> None:
    try:
        Retries.read(text)
    except ValueError as error:
        found.add(place, rules.COLUMN_VALUE, f"is not a retry policy: {error}")


def _is_notices(text: Any) -> bool:
    try:
        notices = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return False
    return isinstance(notices, list) and all(isinstance(one, str) for one in notices)
