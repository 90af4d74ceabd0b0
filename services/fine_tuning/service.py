"""Starts fine-tuning jobs, and finds how their rows were chosen."""

import json
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Any

from chassis.paths import ProjectPaths
from chassis.rpc.errors import AlreadyExists
from chassis.rpc.peers import all_ended
from ft.proto.fine_tuning_studio_jobs_pb2 import GetJobCapacityResponse
from ft.proto.fine_tuning_studio_pb2 import AdapterMetadata
from jobs.lifecycle import JobLifecycle
from jobs.workspace.capacity import capacity
from jobs.workspace.client import Workspace
from services.fine_tuning import plan
from services.fine_tuning.axolotl import prompt_for
from services.fine_tuning.checks import FineTuningChecks, FineTuningReferences
from services.fine_tuning.peers import FineTuningPeers
from services.fine_tuning.request import FineTuningRequest
from services.fine_tuning.store import FineTuningJob, FineTuningStore

DEFAULT_SPLIT = (1.0, 0.9)
"""Fraction and split for an adapter that no known job has trained."""


@dataclass(frozen=True, slots=True)
class Split:
    """Shares of a dataset's rows that a training used."""

    dataset_fraction: float
    train_test_split: float


class FineTuningService:
    """Checks requests, starts and resumes jobs, and finds how their rows were chosen."""

    def __init__(
        self,
        lifecycle: JobLifecycle[FineTuningJob],
        jobs: FineTuningStore,
        checks: FineTuningChecks,
        peers: FineTuningPeers,
        paths: ProjectPaths,
        workspace: Workspace,
    ) -> None:
        self._workspace = workspace
        self._lifecycle = lifecycle
        self._jobs = jobs
        self._checks = checks
        self._peers = peers
        self._paths = paths

    async def start(self, *, request: FineTuningRequest) -> FineTuningJob:
        """Starts a job; returns once the workspace has accepted it.

        A repeated request gets the job that it has started before.
        """
        if before := self._lifecycle.started_by(request.key):
            return before[0]
        self._checks.check_request(request)
        checks: list[Awaitable[Any]] = [
            self._checks.require_available(request),
            self._checks.require_granted(request),
            self._checks.require_name(request.adapter_name),
            self._checks.find_references(request),
        ]
        try:
            _, shared, _, references = await all_ended(*checks)
        except AlreadyExists:
            # The same request may have been sent twice at the same time.
            if before := self._lifecycle.started_by(request.key):
                return before[0]
            raise
        job = await self._plan(request, references)
        notices = [*shared]
        # Axolotl has its own config, and a user's script may use settings in its own way.
        if not request.is_axolotl and not request.user_script:
            notices += [f"{field}: {clause}." for field, clause in request.overruled()]
        job.notices = json.dumps(notices) if notices else None
        [started] = await self._lifecycle.start([job])
        return started

    async def split_of(self, adapter_id: str) -> Split:
        """Returns how the rows were chosen in an adapter's training; the defaults if unknown."""
        adapter = await self._peers.adapter(adapter_id)
        job = self._job_of(adapter) if adapter else None
        if job is None or job.dataset_fraction is None or job.train_test_split is None:
            return Split(*DEFAULT_SPLIT)
        return Split(job.dataset_fraction, job.train_test_split)

    def _job_of(self, adapter: AdapterMetadata) -> FineTuningJob | None:
        """Returns the job that has trained the adapter; None if that is not certain."""
        if adapter.fine_tuning_job_id:
            return self._jobs.one(id=adapter.fine_tuning_job_id)
        if registered := self._jobs.one(adapter_id=adapter.id):
            return registered
        # A job saves its adapter in a folder that is named after the job's id.
        folder = self._paths.project / adapter.location
        saved = self._jobs.one(id=folder.name)
        if saved is not None and saved.out_dir and self._paths.project / saved.out_dir == folder:
            return saved
        # If several jobs have the adapter's name, it is not known which one has trained it.
        named = self._jobs.named(adapter.name)
        return named[0] if len(named) == 1 else None

    async def resume(self, job_id: str) -> FineTuningJob:
        """Begins another attempt at a job.

        Raises AlreadyExists if an adapter, or another job, has taken the name of its adapter.
        """
        job = self._lifecycle.get(job_id)
        try:
            await self._checks.require_name(str(job.adapter_name), job.id)
            await self._checks.require_still_granted(job)
            return await self._lifecycle.resume(job_id)
        except AlreadyExists as taken:
            raise taken.about("id") from None

    async def capacity(self) -> GetJobCapacityResponse:
        """Returns the most resources that one job can get, as far as the workspace states them."""
        return (await capacity(self._workspace, plan.DEFAULT_TEMPLATE)).message()

    async def _plan(
        self, request: FineTuningRequest, references: FineTuningReferences
    ) -> FineTuningJob:
        """Returns the record of a valid request's job; stores its configs and its prompt."""
        stored = await self._peers.configs.store(request.config_texts)
        needed = plan.needed(request)
        configs = await self._peers.configs.complete(stored, needed, request.base_model_id)
        axolotl = references.axolotl
        if axolotl is not None and not request.prompt_id:
            prompt_id = await prompt_for(axolotl, references.dataset, self._peers)
            request = replace(request, prompt_id=prompt_id)
        output_dir = request.output_dir
        if not output_dir:
            output_dir = plan.DEFAULT_OUTPUT_DIR
            (self._paths.project / output_dir).mkdir(parents=True, exist_ok=True)
        return plan.record(request, configs, output_dir, axolotl.config if axolotl else None)
