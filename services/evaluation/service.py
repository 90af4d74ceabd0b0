"""The rules about evaluation jobs."""

import asyncio
from collections.abc import Mapping

from chassis.errors import Violations
from chassis.records import new_id
from jobs.arguments import compact_json, encode
from jobs.configs import Config, columns
from jobs.dispatch import JobSpec
from jobs.lifecycle import JobLifecycle
from services.evaluation.peers import Peers
from services.evaluation.request import CONFIGS, EvaluationRequest
from services.evaluation.store import EvaluationJob

TEMPLATE = "Mlflow_Evaluation_Base_Job"


class EvaluationService:
    """Starts one job for each combination of model and adapter."""

    def __init__(
        self, lifecycle: JobLifecycle[EvaluationJob], peers: Peers, hub_token: str
    ) -> None:
        self._lifecycle = lifecycle
        self._peers = peers
        self._hub_token = hub_token

    async def start(self, request: EvaluationRequest) -> list[EvaluationJob]:
        """Starts the jobs, in the order of the combinations; they share a parent id."""
        found = Violations()
        request.check(found)
        found.raise_if_any()
        await self._peers.check_references(request)
        parent = new_id()
        planned = []
        for number, (model_id, adapter_id) in enumerate(request.combinations, start=1):
            configs = await self._configs(request, model_id)
            job = _record(request, configs, parent, model_id, adapter_id)
            planned.append((job, self._spec(request, job, configs, number)))
        return await asyncio.gather(*(self._lifecycle.start(job, spec) for job, spec in planned))

    async def _configs(self, request: EvaluationRequest, model_id: str) -> dict[str, Config]:
        configs = await self._peers.configs.store(request.configs)
        if "generation_config" not in configs:
            configs["generation_config"] = await self._peers.configs.shipped(
                "generation_config", model_id
            )
        return configs

    def _spec(
        self,
        request: EvaluationRequest,
        job: EvaluationJob,
        configs: Mapping[str, Config],
        number: int,
    ) -> JobSpec:
        return JobSpec(
            id=job.id,
            template=TEMPLATE,
            arguments=encode(
                {
                    "base_model_id": job.base_model_id,
                    "dataset_id": job.dataset_id,
                    "adapter_id": job.adapter_id,
                    "prompt_id": job.prompt_id,
                    "result_dir": job.evaluation_dir,
                    **{name: config.compact() for name, config in configs.items()},
                    "selected_features": compact_json(request.selected_features),
                    "eval_dataset_fraction": request.eval_dataset_fraction,
                    "comparison_adapter_id": request.comparison_adapter,
                    "job_id": job.parent_job_id,
                    "run_number": number,
                }
            ),
            cpu=request.cpu,
            memory=request.memory,
            gpu=request.gpu,
            gpu_label_id=request.gpu_label_id,
            # By the environment and never as an argument: arguments are shown and logged.
            environment=({"HUGGINGFACE_ACCESS_TOKEN": self._hub_token} if self._hub_token else {}),
        )


def _record(
    request: EvaluationRequest,
    configs: Mapping[str, Config],
    parent: str,
    model_id: str,
    adapter_id: str,
) -> EvaluationJob:
    id = new_id()
    return EvaluationJob(
        id=id,
        type=request.type,
        parent_job_id=parent,
        base_model_id=model_id,
        dataset_id=request.dataset_id,
        prompt_id=request.prompt_id,
        adapter_id=adapter_id,
        num_cpu=request.cpu,
        num_gpu=request.gpu,
        num_memory=request.memory,
        evaluation_dir=f"mlflow_results/{id}",
        **columns(configs, CONFIGS),
    )
