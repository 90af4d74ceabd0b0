"""What the studio keeps about every job, of whichever kind."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from chassis import rules
from chassis.convert import rfc3339
from chassis.errors import Violations
from chassis.records import Base, Records, Row
from ft.enums import JobState
from ft.proto.fine_tuning_studio_types_pb2 import JobStatus


class JobRecord(Base, kw_only=True):
    """Columns of a job's table that are the studio's own; the kind adds the contract's."""

    __abstract__ = True

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

    @classmethod
    def complete(cls, place: str, values: dict[str, Any], found: Violations) -> None:
        # A job of a studio that kept no states must not look as if it were still under way.
        state = values.setdefault("state", JobState.UNKNOWN)
        states = [known.value for known in JobState]
        description = f"must be one of {', '.join(states)}, not {state!r}"
        found.check(f"{place}.state", rules.JOB_ROW, state in states, description)
        notices = values.get("notices", "[]")
        description = "must be a JSON list of sentences"
        found.check(f"{place}.notices", rules.COLUMN_VALUE, _is_notices(notices), description)
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
        )


class JobRecords(Records[Row]):
    """Queries on jobs of one kind."""

    def unfinished(self) -> Sequence[Row]:
        """Jobs that have not ended, oldest first."""
        ended = [state.value for state in JobState if state.ended]
        query = select(self.table).where(self.table.c.state.not_in(ended))
        return self.matching(query.order_by(self.table.c.seq))


def _is_notices(text: Any) -> bool:
    try:
        notices = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return False
    return isinstance(notices, list) and all(isinstance(one, str) for one in notices)
