"""Starts fine-tuning jobs, and says how their rows were chosen."""

import json
from dataclasses import dataclass, replace

from chassis.paths import ProjectPaths
from chassis.rpc.errors import AlreadyExists
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
    """How rows were chosen for training."""

    dataset_fraction: float
    train_test_split: float


class FineTuningService:
    """FineTuningChecks requests against the rules and starts what passes."""

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

    async def start(self, request: FineTuningRequest) -> FineTuningJob:
        """Starts a job; returns once the workspace has accepted it.

        A request that came before gets what it has started.
        """
        if before := self._lifecycle.started_by(request.key):
            return before[0]
        self._checks.check_request(request)
        await self._checks.require_available(request)
        shared = await self._checks.require_granted(request)
        try:
            await self._checks.require_name(request.adapter_name)
        except AlreadyExists:
            # Meanwhile the same request, sent twice at the same time, may have taken it.
            if before := self._lifecycle.started_by(request.key):
                return before[0]
            raise
        references = await self._checks.find_references(request)
        job = await self._planned(request, references)
        notices = [*shared, *_overruled(request)]
        job.notices = json.dumps(notices) if notices else None
        [started] = await self._lifecycle.start([job])
        return started

    async def split_of(self, adapter_id: str) -> Split:
        """How the rows were chosen when the adapter was trained; the defaults if nobody knows."""
        adapter = await self._peers.adapter(adapter_id)
        job = self._maker(adapter) if adapter else None
        if job is None or job.dataset_fraction is None or job.train_test_split is None:
            return Split(*DEFAULT_SPLIT)
        return Split(job.dataset_fraction, job.train_test_split)

    def _maker(self, adapter: AdapterMetadata) -> FineTuningJob | None:
        """The job that has trained the adapter; None if that is not known for certain."""
        if adapter.fine_tuning_job_id:
            return self._jobs.one(id=adapter.fine_tuning_job_id)
        found = self._jobs.one(adapter_id=adapter.id) or self._in_folder(adapter.location)
        if found is not None:
            return found
        # A job of another name or place has not made it, and of several nobody knows which did.
        named = self._jobs.named(adapter.name)
        return named[0] if len(named) == 1 else None

    def _in_folder(self, location: str) -> FineTuningJob | None:
        """The job that saves its adapter there. Its folder bears its id."""
        folder = self._paths.project / location
        job = self._jobs.one(id=folder.name)
        if job is None or not job.out_dir:
            return None
        return job if self._paths.project / job.out_dir == folder else None

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

    async def _planned(
        self, request: FineTuningRequest, references: FineTuningReferences
    ) -> FineTuningJob:
        """The job of a request that nothing is wrong with; stores what goes with it."""
        # Stored, so that they can be found again.
        stored = await self._peers.configs.store(request.config_texts)
        needed = plan.needed(request)
        configs = await self._peers.configs.complete(stored, needed, request.base_model_id)
        axolotl = references.axolotl
        if axolotl is None:
            return plan.record(request, configs, self._output_dir(request))
        if not request.prompt_id:
            prompt_id = await prompt_for(axolotl, references.dataset, self._peers)
            request = replace(request, prompt_id=prompt_id)
        return plan.record(request, configs, self._output_dir(request), axolotl.config)

    def _output_dir(self, request: FineTuningRequest) -> str:
        if request.output_dir:
            return request.output_dir
        (self._paths.project / plan.DEFAULT_OUTPUT_DIR).mkdir(parents=True, exist_ok=True)
        return plan.DEFAULT_OUTPUT_DIR


def _overruled(request: FineTuningRequest) -> list[str]:
    """Notices of settings that something else in the request overrules, a sentence each."""
    if request.is_axolotl or request.user_script:
        # Axolotl has its own config, and a script its own idea of settings.
        return []
    return [f"{field}: {clause}." for field, clause in request.overruled()]
