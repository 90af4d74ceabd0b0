"""The state and progress of a job as clients see them."""

import json

from sqlalchemy import Table

from chassis.store.forms import M, MessageForm, Values
from ft.enums import JobState
from ft.proto.fine_tuning_studio_types_pb2 import JobStatus
from jobs.failures import Retries

REPORTED = (
    "step",
    "total_steps",
    "epoch",
    "loss",
    "eval_loss",
    "tokens_per_second",
    "seconds_left",
)
"""Columns with the progress of a job."""
_SHOWN = (
    "state",
    "created_at",
    "started_at",
    "finished_at",
    *REPORTED,
    "failure_reason",
    "failure_kind",
)
"""Columns whose values a status has as they are."""
COLUMNS = (*_SHOWN, "notices", "attempt", "retry", "waits_for", "not_before")
"""Columns that a status is made of."""


def job_status(values: Values) -> JobStatus:
    """Returns the status of a job with these values of `COLUMNS`."""
    waits_for = values["waits_for"] if values["state"] == JobState.SCHEDULED else None
    if values["state"] == JobState.QUEUED and values["not_before"] is not None:
        waits_for = f"waits until {values['not_before']} before it is tried again"
    retry, notices = values["retry"], values["notices"]
    return JobStatus(
        **{name: values[name] for name in _SHOWN},
        notices=json.loads(notices) if notices else None,
        attempt=values["attempt"] or 1,
        retry=Retries.read(retry).message() if retry else None,
        waits_for=waits_for or "",
    )


def job_form(kind: type[M], table: Table, but: tuple[str, ...] = ()) -> MessageForm[M]:
    """Returns the form of messages of jobs that have a `status` beside the job's columns."""
    return MessageForm(kind, table, but, COLUMNS, lambda values: {"status": job_status(values)})
