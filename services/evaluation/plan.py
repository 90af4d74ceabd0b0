"""From an accepted request to its records, and to the jobs that the workspace is given."""

from collections.abc import Mapping

from chassis.ids import new_id
from ft.job_protocol import template_jobs
from jobs.execution.dispatch import JobSpec
from jobs.requests.arguments import compact_json, encode
from jobs.requests.configs import JobConfig, columns
from services.evaluation.request import CONFIGS, EvaluationRequest
from services.evaluation.store import EvaluationJob

NEEDED = ("generation_config",)
"""Configs that every job has: its own, or shipped ones."""


def record(
    request: EvaluationRequest,
    configs: Mapping[str, JobConfig],
    parent: str,
    model_id: str,
    adapter_id: str,
    number: int,
) -> EvaluationJob:
    """The record of the request's job of that number, counted from 1, with copies of the configs:
    it explains itself without them. Raises InvalidArgument if an argument cannot be carried.
    """
    id = new_id()
    job = EvaluationJob(
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
        **request.repetition(),
        **columns(configs, CONFIGS),
    )
    job.spec = _spec(request, job, configs, number).stored()
    return job


def _spec(
    request: EvaluationRequest, job: EvaluationJob, configs: Mapping[str, JobConfig], number: int
) -> JobSpec:
    return JobSpec(
        template=template_jobs.EVALUATION,
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
                "fit_answer_length": request.fit_answer_length,
                "job_id": job.parent_job_id,
                "run_number": number,
            }
        ),
        cpu=request.cpu,
        memory=request.memory,
        gpu=request.gpu,
        gpu_label_id=request.gpu_label_id,
        title=f"evaluation {job.id}",
    )
