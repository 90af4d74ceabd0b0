"""Record of a job: the columns that jobs of every kind have, and the rules for imported rows."""

import json
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from chassis.rpc import rules
from chassis.rpc.errors import Violations
from chassis.store.records import Record
from ft.enums import JobState
from jobs.failures import Retries

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
"""Columns that are null again when another attempt begins."""
LONG_AGO = datetime(1970, 1, 1)
"""Value of `sent_at` for a request that has arrived by now, or never will."""


class JobRecord(Record, kw_only=True):
    """Columns of a job's table that the studio adds; each kind adds those of the contract."""

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
    """Columns that would make a studio that imports the job run or end it."""
    FOLDERS: ClassVar[tuple[str, ...]] = ()
    """Columns with folders that the job writes to."""

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
    """Settings that the studio changed, a JSON list of sentences."""
    attempt: Mapped[int | None] = mapped_column(default=1, sort_order=513)
    spec: Mapped[str | None] = mapped_column(default=None, sort_order=514)
    """Request to the workspace, see `jobs.execution.dispatch.JobSpec`."""
    sent_at: Mapped[datetime | None] = mapped_column(default=None, sort_order=515)
    """Time of a create request without a recorded answer; None if there is none."""
    request_id: Mapped[str | None] = mapped_column(default=None, index=True, sort_order=516)
    request_digest: Mapped[str | None] = mapped_column(default=None, sort_order=517)
    """Digest of the request with that id, to distinguish a repetition from another request."""
    failure_kind: Mapped[str | None] = mapped_column(default=None, sort_order=525)
    retry: Mapped[str | None] = mapped_column(default=None, sort_order=526)
    """Retry policy, see `jobs.failures.Retries`; None for no retries."""
    not_before: Mapped[datetime | None] = mapped_column(default=None, sort_order=527)
    """Earliest start of an attempt that was queued by the retry policy."""
    waits_for: Mapped[str | None] = mapped_column(default=None, sort_order=528)
    """Reason why a job has not started, a sentence."""
    token_hash: Mapped[str | None] = mapped_column(default=None, repr=False, sort_order=518)
    """Digest of the token of the current attempt, see `jobs.execution.report_receiver`."""
    reported_offset: Mapped[int | None] = mapped_column(BigInteger, default=None, sort_order=519)
    """Bytes of the job's event file that are recorded."""

    @classmethod
    def moving(cls) -> frozenset[str]:
        """Columns that change while a job runs."""
        return super().moving() | (JobRecord.__annotations__.keys() & cls.table().columns.keys())

    @classmethod
    def kept(cls) -> frozenset[str]:
        """Columns that an import never replaces: ids, and the folders that the job writes to."""
        ids = {key for key in cls.table().columns.keys() if key.endswith("_id")}  # noqa: SIM118
        return super().kept() | ids | {*cls.FOLDERS}

    @classmethod
    def complete(cls, place: str, values: dict[str, Any], found: Violations) -> None:
        # A job from a studio without states must not appear to be running, and a job that runs in
        # another studio must not be continued by this one.
        state = values.setdefault("state", JobState.UNKNOWN)
        states = [known.value for known in JobState]
        description = f"must be one of {', '.join(states)}, not {state!r}"
        if found.check(f"{place}.state", rules.JOB_ROW, state in states, description):
            values["state"] = state if JobState(state).ended else JobState.UNKNOWN
        try:
            notices = json.loads(values.get("notices", "[]"))
            valid = isinstance(notices, list) and all(isinstance(one, str) for one in notices)
        except (TypeError, ValueError, RecursionError):
            valid = False
        description = "must be a JSON list of sentences"
        found.check(f"{place}.notices", rules.COLUMN_VALUE, valid, description)
        if "retry" in values:
            try:
                Retries.read(str(values["retry"]))
            except ValueError as error:
                description = f"is not a retry policy: {error}"
                found.add(f"{place}.retry", rules.COLUMN_VALUE, description)
        # The id is the name of a folder.
        id = str(values.get("id", ""))
        named = "/" not in id and id not in (".", "..")
        description = f"must be usable as a file's name, not {id!r}"
        found.check(f"{place}.id", rules.JOB_ROW, named, description)

    def folder(self) -> str:
        """Returns the job's own folder, relative to the project directory."""
        raise NotImplementedError

    def in_order(self, time: datetime | None, *earlier: datetime | None) -> datetime | None:
        """Returns the time, or the latest of the times that must not be after it.

        These are the creation of the job and `earlier`. Clocks may be set back, and the clock of
        the workspace may differ from the studio's.
        """
        if time is None:
            return None
        return max([time, self.created_at, *(known for known in earlier if known is not None)])

    @property
    def imported(self) -> bool:
        """True if another studio has started the job, so that this one must not touch it."""
        return not self.spec

    def another_attempt(self, after: str) -> dict[str, Any]:
        """Returns the columns for another attempt after one that ended in the state `after`."""
        # A job that the workspace has lost, or never had, is searched for before it is created.
        known = self.cml_job_id and after != JobState.LOST
        return {
            "attempt": (self.attempt or 1) + 1,
            "cml_job_id": self.cml_job_id if known else None,
            "sent_at": self.sent_at if known else self.sent_at or LONG_AGO,
            **dict.fromkeys(_OF_AN_ATTEMPT),
        }
