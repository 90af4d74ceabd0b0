"""Append-only log of the events of jobs of one kind."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, literal, select

from chassis.ids import new_id
from chassis.store.engine import Store
from chassis.store.records import Records, now
from ft.enums import JobState
from jobs.store.history import (
    NOTICE,
    REMOVED,
    STATE,
    STUDIO,
    USER,
    WORKSPACE,
    JobEventRecord,
)


class JobEventLog:
    """Reads and appends events. Methods with a `connection` work in the caller's transaction."""

    def __init__(self, store: Store, kind: type[JobEventRecord]) -> None:
        self.store = store
        self._events = Records(store, kind)

    def add(self, connection: Connection, job_id: str, kind: str, **fields: Any) -> None:
        """Appends an event. Its time is never before that of the job's last event."""
        table = self._events.table
        last = select(table.c.created_at).where(table.c.job_id == job_id)
        query = last.order_by(table.c.seq.desc()).limit(1)
        time = max(now(), connection.scalar(query) or datetime.min)
        event = self._events.kind(id=new_id(), job_id=job_id, kind=kind, created_at=time, **fields)
        self._events.insert(connection, [event])

    def add_notices(
        self,
        connection: Connection,
        job_id: str,
        attempt: int,
        notices: Sequence[str],
        actor: str,
    ) -> None:
        """Appends an event for each notice of an attempt."""
        for notice in notices:
            progress = json.dumps({"notice": notice, "attempt": attempt})
            self.add(connection, job_id, NOTICE, progress=progress, actor=actor)

    def stop_reason(self, connection: Connection, job_id: str) -> str:
        """Returns who requested the stop that a job is in, and why."""
        table = self._events.table
        query = (
            select(table.c.state, table.c.actor, table.c.cause)
            .where(table.c.job_id == job_id, table.c.kind == STATE)
            .order_by(table.c.seq.desc())
            .limit(1)
        )
        last = connection.execute(query).first()
        requested = last is not None and last.state == JobState.STOPPING.value
        if last is None or not requested or last.actor == WORKSPACE:
            return "stopped in the workspace"
        by = "a user" if last.actor == USER else f"the {last.actor or STUDIO}"
        return f"stopped by {by}: {last.cause}" if last.cause else f"stopped by {by}"

    def delete(self, connection: Connection, job_id: str) -> None:
        """Deletes all events of a job."""
        table = self._events.table
        connection.execute(delete(table).where(table.c.job_id == job_id))

    def events(self, job_id: str, after: int, limit: int) -> list[JobEventRecord]:
        """Returns the events of a job after a cursor, oldest first."""
        table = self._events.table
        query = select(table).where(
            table.c.job_id == job_id, table.c.seq > after, table.c.kind != REMOVED
        )
        return self._events.matching(query.order_by(table.c.seq).limit(limit))

    def last(self, job_id: str) -> int:
        """Returns the cursor of a job's last event; 0 if there is none."""
        table = self._events.table
        query = select(func.max(table.c.seq)).where(table.c.job_id == job_id)
        return self.store.read(lambda connection: connection.scalar(query)) or 0

    def removed(self, after: int = 0, limit: int = 100) -> list[JobEventRecord]:
        """Returns marks of removed jobs that may still arrive in the workspace, oldest first."""
        table = self._events.table
        # Not a parameter: an index has these rows alone.
        kind = literal(REMOVED, literal_execute=True)
        query = select(table).where(table.c.kind == kind, table.c.seq > after)
        return self._events.matching(query.order_by(table.c.seq).limit(limit))

    async def clear_removed(self, mark: JobEventRecord) -> None:
        """Deletes the mark of a removed job that is not in the workspace, and will not arrive."""
        await self._events.remove(id=mark.id)
