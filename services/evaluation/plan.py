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
    """Returns the record of the request's job of that number, counted from 1.

    The record has copies of the configs, so that it is complete without them. Raises
    InvalidArgument if an argument cannot be carried.
    """
    id = new_id()
    job = EvaluationJob(
        id=id,
        parent_job_id=parent,
        base_model_id=model_id,
        adapter_id=adapter_id,
        num_cpu=request.cpu,
        num_gpu=request.gpu,
        num_memory=request.memory,
        evaluation_dir=f"mlflow_results/{id}",
        **request.columns(EvaluationJob),
        **columns(configs, CONFIGS),
    )
    flags = {
        **request.flags(),
        "base_model_id": model_id,
        "adapter_id": adapter_id,
        "result_dir": job.evaluation_dir,
        **{name: config.compact() for name, config in configs.items()},
        "selected_features": compact_json(request.selected_features),
        "comparison_adapter_id": request.comparison_adapter,
        "job_id": parent,
        "run_number": number,
    }
    job.spec = JobSpec(
        template=template_jobs.EVALUATION,
        arguments=encode(flags),
        cpu=request.cpu,
        memory=request.memory,
        gpu=request.gpu,
        gpu_label_id=request.gpu_label_id,
        title=f"evaluation {id}",
    ).stored()
    return job
