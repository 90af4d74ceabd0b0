"""Receives the reports of running jobs, and makes the tokens that identify the jobs.

A report is a part of the job's `events.jsonl`, which the reconciler reads as well. An event counts
once, whether it was reported or read, and events whose report fails are read later.
"""

import hashlib
import hmac
import secrets
import time
from typing import Generic, TypeVar

from chassis.rpc.errors import InvalidArgument, Unauthenticated
from ft.enums import JobState
from ft.job_protocol.reports import MAX_REPORT_BYTES
from jobs.execution.observer import Observer
from jobs.rules import OFFSET, REPORT_SIZE
from jobs.store.job_record import JobRecord
from jobs.store.records import JobRecords

Job = TypeVar("Job", bound=JobRecord)
TOKEN_SECONDS = 7 * 86_400
"""Time for which a token is valid, if the job has not ended before."""


def new_token() -> str:
    """A token that cannot be guessed, with the time from which it is valid."""
    return f"{int(time.time())}.{secrets.token_urlsafe(32)}"


def digest(token: str) -> str:
    """Hash of a token, which the studio stores instead of the token."""
    return hashlib.sha256(token.encode()).hexdigest()


class ReportReceiver(Generic[Job]):
    """Receives the reports of the jobs of one kind."""

    def __init__(self, records: JobRecords[Job], observer: Observer[Job]) -> None:
        self._records = records
        self._observer = observer

    async def report(self, id: str, token: str, offset: int, data: bytes) -> int:
        """Records a part of a job's file that begins at `offset`. Returns the offset up to which
        the file is known now.

        Raises Unauthenticated for a token that is not valid, whether or not there is such a job.
        """
        job = self.holder(id, token)
        if offset < 0:
            raise InvalidArgument.at("offset", OFFSET, f"must not be negative, not {offset}")
        if len(data) > MAX_REPORT_BYTES:
            description = f"has {len(data)} bytes; {MAX_REPORT_BYTES} are allowed"
            raise InvalidArgument.at("data", REPORT_SIZE, description)
        known = job.reported_offset or 0
        whole = data[: data.rfind(b"\n") + 1]
        if offset <= known < offset + len(whole):
            await self._observer.take(job, whole[known - offset :])
        current = self._records.one(id=id)
        return (current.reported_offset or 0) if current else known

    def holder(self, id: str, token: str) -> Job:
        """The job with that id, if it has not ended and has that token.

        Raises Unauthenticated for a token that is not valid, whether or not there is such a job.
        """
        job = self._records.one(id=id)
        if (
            job is None
            or JobState(job.state).ended
            or not job.token_hash
            or not hmac.compare_digest(digest(token), job.token_hash)
            # It is one of ours, so it begins with a time.
            or time.time() - int(token.partition(".")[0]) >= TOKEN_SECONDS
        ):
            raise Unauthenticated("the token does not belong to a job that has not ended")
        return job
