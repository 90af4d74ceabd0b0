"""Creates recorded jobs in the workspace, and removes them again."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import structlog

from chassis.rpc.errors import (
    DeadlineExceeded,
    Internal,
    NotFound,
    Refusal,
    ResourceExhausted,
    Unavailable,
)
from ft.enums import JobState
from ft.job_protocol.files import LOG_FILE
from ft.job_protocol.variables import (
    ATTEMPT,
    JOB_ID,
    JOB_LOG,
    JOB_TITLE,
    JOB_TOKEN,
    NUM_WORKERS,
)
from jobs.execution.exactly_once import Known, Step, next_step
from jobs.execution.report_receiver import digest, new_token
from jobs.execution.sightings import Sightings
from jobs.store.history import WORKSPACE
from jobs.store.job_record import LONG_AGO, JobRecord
from jobs.store.records import JobRecords
from jobs.workspace.client import REQUEST_SECONDS, Workspace

log = structlog.get_logger()

Job = TypeVar("Job", bound=JobRecord)
LATE = timedelta(seconds=2)
"""Time after which a create request can no longer arrive, for each second of the timeout for its
answer: the timeout itself, and the same again for delays on the way."""
UNDECIDED = (Unavailable, DeadlineExceeded, ResourceExhausted, Internal)
"""Refusals after which the same request may be sent again."""
_CREATED = (JobState.QUEUED, JobState.DISPATCHING)


@dataclass(frozen=True)
class JobSpec:
    """A job as it is sent to the workspace. It is stored with the record, so it contains no
    secrets."""

    template: str
    """Name of the template job, whose script and runtime are used."""
    arguments: str
    cpu: int
    memory: int
    """GiB."""
    gpu: int
    script: str = ""
    """A user's own script instead of the template's."""
    gpu_label_id: int | None = None
    workers: int = 1
    """Number of workers; each gets the CPUs, memory and GPUs above."""
    title: str = ""
    """Display name of the job."""

    def stored(self) -> str:
        """The spec as it is stored in the record."""
        return json.dumps(asdict(self))


def _attempt_of(run: Any) -> int:
    """Number of the attempt that a run belongs to."""
    return int(json.loads(run.environment or "{}").get(ATTEMPT, 1))


class JobDispatcher(Generic[Job]):
    """Creates exactly one job and one run in the workspace for each record, see
    `jobs.execution.exactly_once`.

    `environment` is set for every job, and is not stored anywhere else, because it may contain
    secrets.
    """

    def __init__(
        self,
        records: JobRecords[Job],
        workspace: Workspace,
        environment: Mapping[str, str],
        late: timedelta = LATE * REQUEST_SECONDS,
        sightings: Sightings | None = None,
    ) -> None:
        self._sent = sightings or Sightings()
        """The time since when this process knows of each request that may still arrive."""
        self._records = records
        self._workspace = workspace
        self._environment = environment
        self._late = late
        self.in_hand: set[str] = set()
        """Ids of the jobs that `carry` works on at present."""

    async def carry(self, id: str) -> bool:
        """Takes the next steps until the job's run is recorded. Returns False if it has to wait for
        a request that may still arrive.

        Can be repeated. Raises a Refusal if the workspace refuses, and then the record has this as
        its failure. Raises Unavailable or another of `UNDECIDED` if the call may be repeated.
        """
        if id in self.in_hand:
            return False
        self.in_hand.add(id)
        try:
            return await self._carry(id)
        except UNDECIDED:
            raise
        except Refusal as refusal:
            await self._records.refuse(id, cause=refusal.message)
            raise
        finally:
            self.in_hand.discard(id)
            job = self._records.one(id=id)
            if job is None or job.sent_at is None:
                self._sent.forget(id)
            if job is None:
                # Removed meanwhile, and what was sent for it may have been sent after that.
                await self._records.note_removed(id)

    async def _carry(self, id: str) -> bool:
        looked = False
        while (job := self._records.one(id=id)) is not None and job.state in _CREATED:
            known = Known(
                has_job=bool(job.cml_job_id),
                has_run=bool(job.run_id),
                unanswered=job.sent_at is not None,
                settled=self.settled(job),
                looked=looked,
            )
            match next_step(known):
                case Step.WAIT:
                    return False
                case Step.FIND_JOB:
                    found = await self._workspace.find_job(job.id)
                    looked = found is None
                    if found is not None:
                        await self._records.change(job.id, cml_job_id=found.id)
                case Step.FIND_RUN:
                    runs = await self._workspace.runs(str(job.cml_job_id))
                    own = [run for run in runs if _attempt_of(run) == (job.attempt or 1)]
                    looked = not own
                    if own:
                        await self._accepted(job, min(own, key=lambda run: run.created_at).id)
                case Step.CREATE_JOB:
                    await self._create_job(job)
                    looked = False
                case Step.CREATE_RUN:
                    await self._create_run(job)
                    looked = False
                case Step.DONE:
                    return True
        return True

    def settled(self, job: Job) -> bool:
        """Tells whether no request for the job can arrive any more."""
        if job.sent_at is None:
            self._sent.forget(job.id)
            return True
        return self.late(job.id, job.sent_at)

    def late(self, key: str, sent: datetime) -> bool:
        """Tells whether a request that was sent at that time can no longer arrive.

        The time is counted from when this process first saw `sent`, because the clock that `sent`
        was read from may have been set since. `key` identifies the request.
        """
        return sent == LONG_AGO or self._sent.unchanged(key, sent) >= self._late

    def forget(self, key: str) -> None:
        """Forgets the request with that key."""
        self._sent.forget(key)

    async def _create_job(self, job: Job) -> None:
        spec = JobSpec(**json.loads(job.spec or "{}"))
        template = await self._workspace.template(spec.template)
        if not await self._mark_sent(job):
            return
        environment = {**self._environment, JOB_LOG: f"{job.folder()}/{LOG_FILE}"}
        if spec.workers > 1:
            # For a workspace where the workers run inside the run, so that it is granted enough.
            environment[NUM_WORKERS] = str(spec.workers)
        if spec.title:
            environment[JOB_TITLE] = spec.title
        label = {}
        if spec.gpu_label_id is not None and spec.gpu_label_id > 0:
            label["accelerator_label_id"] = str(spec.gpu_label_id)
        created = await self._workspace.create_job(
            name=job.id,
            script=spec.script or template.script,
            runtime_identifier=template.runtime_identifier,
            kernel=template.kernel,
            cpu=float(spec.cpu),
            memory=float(spec.memory),
            nvidia_gpu=spec.gpu,
            arguments=spec.arguments,
            environment=environment,
            **label,
        )
        token = new_token()
        if await self._records.job_created(job.id, created.id, token_hash=digest(token)):
            self._note_sent(job.id)
            await self._send_run(job, created.id, token)

    async def _mark_sent(self, job: Job, **values: object) -> bool:
        if not await self._records.mark_sent(job.id, **values):
            return False
        self._note_sent(job.id)
        return True

    def _note_sent(self, id: str) -> None:
        if (marked := self._records.one(id=id)) is not None:
            self.settled(marked)  # from now on it is counted how long ago that was

    async def _create_run(self, job: Job) -> None:
        token = new_token()
        if await self._mark_sent(job, token_hash=digest(token)):
            await self._send_run(job, str(job.cml_job_id), token)

    async def _send_run(self, job: Job, cml_job_id: str, token: str) -> None:
        attempt = job.attempt or 1
        own = {JOB_ID: job.id, JOB_TOKEN: token, **({ATTEMPT: str(attempt)} if attempt > 1 else {})}
        run = await self._workspace.create_run(cml_job_id, own)
        await self._accepted(job, run.id)

    async def _accepted(self, job: Job, run_id: str) -> None:
        moved = await self._records.move(
            job.id, JobState.SCHEDULED, actor=WORKSPACE, run_id=run_id, sent_at=None
        )
        if not moved:
            # Cancelled meanwhile: whoever ends it has to know what there is to be ended.
            await self._records.change(job.id, run_id=run_id, sent_at=None)

    async def withdraw(self, cml_job_id: str) -> None:
        """Stops all runs of a workspace job, and deletes the job."""
        with suppress(NotFound):
            for run in await self._workspace.runs(cml_job_id):
                if not run.finished_at:
                    await self._workspace.stop_run(cml_job_id, run.id)
        await self._workspace.delete_job(cml_job_id)

    async def withdraw_named(self, id: str) -> None:
        """Deletes every workspace job whose name is the record's id."""
        while (found := await self._workspace.find_job(id)) is not None:
            log.warning("job withdrawn that nobody wants any more", job_id=id, cml_job_id=found.id)
            await self.withdraw(str(found.id))
