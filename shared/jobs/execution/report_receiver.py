"""Receives the reports of running jobs, and makes the tokens by which the jobs are known.

A report is a part of the job's `events.jsonl`, which the reconciler reads as well: whatever comes
by the one way does not count again by the other, and what cannot be delivered is found.
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
"""How long a token is good, if the job has not ended before."""


def new_token() -> str:
    """A token that nobody can guess, with the time from which it is good."""
    return f"{int(time.time())}.{secrets.token_urlsafe(32)}"


def digest(token: str) -> str:
    """Hash of a token, which the studio keeps in place of it."""
    return hashlib.sha256(token.encode()).hexdigest()


class ReportReceiver(Generic[Job]):
    """Takes the reports of the jobs of one kind."""

    def __init__(self, records: JobRecords[Job], observer: Observer[Job]) -> None:
        self._records = records
        self._observer = observer

    async def report(self, id: str, token: str, offset: int, data: bytes) -> int:
        """Takes what a job says that its file has from `offset` on; up to where it is known now.

        Raises Unauthenticated for a token that is not good, whether or not there is such a job.
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
        """The job under way whose token that is.

        Raises Unauthenticated for a token that is not good, whether or not there is such a job.
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
