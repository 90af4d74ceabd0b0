"""Carries recorded jobs into the workspace, and takes them out again."""

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
"""How long after it was sent a create request may still land, for each second that is waited for
its answer: the wait itself, and as much again for what lies on the way."""
UNDECIDED = (Unavailable, DeadlineExceeded, ResourceExhausted, Internal)
"""Refusals after which the same may be tried again."""
_CREATED = (JobState.QUEUED, JobState.DISPATCHING)


@dataclass(frozen=True)
class JobSpec:
    """A job as the workspace gets it. It is kept with the record, so it has no secrets in it."""

    template: str
    """Name of the template job that script and runtime are copied from."""
    arguments: str
    cpu: int
    memory: int
    """GiB."""
    gpu: int
    script: str = ""
    """A script of the user's own in place of the template's."""
    gpu_label_id: int | None = None
    workers: int = 1
    """How many work together, each with that much of everything."""
    title: str = ""
    """Display name of the job."""

    def stored(self) -> str:
        """The spec as the record keeps it."""
        return json.dumps(asdict(self))


def _attempt_of(run: Any) -> int:
    """Number of the attempt at its job that a run is."""
    return int(json.loads(run.environment or "{}").get(ATTEMPT, 1))


class JobDispatcher(Generic[Job]):
    """Brings each job to one job and one run of the workspace, see `jobs.execution.exactly_once`.

    `environment` is set for every job, and is kept nowhere else: it may hold secrets.
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
        """Since when this process has known of each request that may be under way."""
        self._records = records
        self._workspace = workspace
        self._environment = environment
        self._late = late
        self.in_hand: set[str] = set()
        """Ids of the jobs that are being carried right now."""

    async def carry(self, id: str) -> bool:
        """Takes the next steps until the job's run is recorded; False if it has to wait for a
        request that may still land.

        Can be repeated. Raises a Refusal when the workspace says no, which the record then tells
        as its failure, or Unavailable and the like, after which it may be tried again.
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
        """Tells whether nothing that was sent for the job can land any more."""
        if job.sent_at is None:
            self._sent.forget(job.id)
            return True
        return self.late(job.id, job.sent_at)

    def late(self, key: str, sent: datetime) -> bool:
        """Tells whether something that was sent at that time can no longer arrive.

        Counted from when this process first saw that it was sent: the time itself may be that of
        a clock that was set meanwhile. `key` tells one thing that was sent from others.
        """
        return sent == LONG_AGO or self._sent.unchanged(key, sent) >= self._late

    def forget(self, key: str) -> None:
        """Forgets what was sent with that key."""
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
        """Stops whatever runs of a workspace job there are, and takes the job out."""
        with suppress(NotFound):
            for run in await self._workspace.runs(cml_job_id):
                if not run.finished_at:
                    await self._workspace.stop_run(cml_job_id, run.id)
        await self._workspace.delete_job(cml_job_id)

    async def withdraw_named(self, id: str) -> None:
        """Takes out of the workspace whatever carries the record's id as its name."""
        while (found := await self._workspace.find_job(id)) is not None:
            log.warning("job withdrawn that nobody wants any more", job_id=id, cml_job_id=found.id)
            await self.withdraw(str(found.id))
