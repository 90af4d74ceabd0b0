"""The rules about fine-tuning jobs."""

from dataclasses import dataclass

from chassis.errors import AlreadyExists, FailedPrecondition, Unimplemented, Violations
from chassis.paths import ProjectPaths
from jobs.configs import Config
from jobs.lifecycle import JobLifecycle
from services.fine_tuning import plan, rules
from services.fine_tuning.peers import Peers
from services.fine_tuning.request import JobRequest
from services.fine_tuning.store import FineTuningJob

DEFAULT_OUTPUT_DIR = "adapters"
DEFAULT_SPLIT = (1.0, 0.9)
"""Fraction and split for an adapter that no known job has trained."""


@dataclass(frozen=True, slots=True)
class Split:
    """How rows were chosen for training."""

    dataset_fraction: float
    train_test_split: float


class FineTuningService:
    """Checks requests against the rules and starts what passes."""

    def __init__(
        self,
        lifecycle: JobLifecycle[FineTuningJob],
        peers: Peers,
        paths: ProjectPaths,
        hub_token: str,
    ) -> None:
        self._lifecycle = lifecycle
        self._peers = peers
        self._paths = paths
        self._hub_token = hub_token

    async def start(self, request: JobRequest) -> FineTuningJob:
        """Starts a job; returns once the workspace has accepted it."""
        found = Violations()
        request.check(found)
        self._check_paths(request, found)
        found.raise_if_any()
        _refuse_what_is_not_there_yet(request)
        await self._check_references(request)
        configs = await self._configs(request)
        job = plan.record(request, configs, self._output_dir(request))
        spec = plan.spec(request, job, configs, self._hub_token)
        return await self._lifecycle.start(job, spec, unique=["adapter_name"])

    async def split_of(self, adapter_id: str) -> Split:
        """How the rows were chosen when the adapter was trained; the defaults if nobody knows."""
        adapter = await self._peers.adapter(adapter_id)
        job = None
        if adapter is not None:
            if adapter.fine_tuning_job_id:
                job = self._lifecycle.records.one(id=adapter.fine_tuning_job_id)
            else:
                job = self._lifecycle.records.one(adapter_name=adapter.name)
        if job is None or job.dataset_fraction is None or job.train_test_split is None:
            return Split(*DEFAULT_SPLIT)
        return Split(job.dataset_fraction, job.train_test_split)

    def _output_dir(self, request: JobRequest) -> str:
        if request.output_dir:
            return request.output_dir
        (self._paths.project / DEFAULT_OUTPUT_DIR).mkdir(parents=True, exist_ok=True)
        return DEFAULT_OUTPUT_DIR

    def _check_paths(self, request: JobRequest, found: Violations) -> None:
        if request.output_dir:
            self._paths.directory("output_dir", request.output_dir, found)
        if request.user_script:
            self._paths.file("user_script", request.user_script, found)

    async def _check_references(self, request: JobRequest) -> None:
        holder = await self._peers.adapter_named(request.adapter_name)
        if holder is not None:
            raise AlreadyExists(
                f"adapter_name: {request.adapter_name!r} is taken by adapter {holder}",
                reason="ADAPTER_NAME_TAKEN",
                field="adapter_name",
                holder_id=holder,
                rule=rules.ADAPTER_NAME_FREE.id,
            )
        self._lifecycle.records.require_free(adapter_name=request.adapter_name)
        written_for = await self._peers.check_references(request)
        if written_for != request.dataset_id:
            raise FailedPrecondition.at(
                "prompt_id",
                rules.PROMPT_OF_DATASET,
                f"prompt {request.prompt_id!r} is written for dataset {written_for!r}, "
                f"not for {request.dataset_id!r}",
                reason="PROMPT_OF_OTHER_DATASET",
            )

    async def _configs(self, request: JobRequest) -> dict[str, Config]:
        """The configs of the job by name of field, stored so that they can be found again."""
        stored = self._peers.configs
        configs = await stored.store({**request.configs, "user_config": request.user_config})
        for field in ("training_arguments_config", "lora_config"):
            if field not in configs:
                configs[field] = await stored.shipped(field, request.base_model_id)
        return configs


def _refuse_what_is_not_there_yet(request: JobRequest) -> None:
    if request.is_axolotl:
        description = "training with Axolotl is not available yet"
        raise Unimplemented.at("framework_type", rules.AVAILABLE, description)
    if request.num_workers > 1:
        description = "training on more than one worker is not available yet"
        raise Unimplemented.at("num_workers", rules.AVAILABLE, description)
