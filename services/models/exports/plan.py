"""From an accepted request to its record, and to the job that the workspace is given."""

import json
from pathlib import PurePosixPath

from chassis.ids import new_id
from chassis.rpc.errors import FailedPrecondition
from ft.job_protocol import template_jobs
from jobs.execution.dispatch import JobSpec
from jobs.requests.arguments import compact_json, encode
from jobs.workspace.capacity import RequestedResources
from jobs.workspace.client import Workspace
from services.models.exports.request import ExportWanted
from services.models.exports.store import ExportJob

FOLDER = "exports"


async def template(workspace: Workspace) -> tuple[str, str]:
    """The template job to copy, and a script in place of its own; empty for none.

    Raises FailedPrecondition if the workspace has neither of the templates.
    """
    try:
        await workspace.template(template_jobs.EXPORT)
        return template_jobs.EXPORT, ""
    except FailedPrecondition:
        # A workspace that has no template for exports yet has its script beside this one's.
        older = await workspace.template(template_jobs.FINE_TUNING)
        script = PurePosixPath(older.script).with_name(template_jobs.EXPORT_SCRIPT)
        return template_jobs.FINE_TUNING, str(script)


def asked(wanted: ExportWanted) -> RequestedResources:
    """Resources that the job requests."""
    return RequestedResources(
        cpu=wanted.cpu.value,
        memory=wanted.memory.value,
        gpu=wanted.gpu.value,
        fields={name: getattr(wanted, name).field for name in ("cpu", "memory", "gpu")},
    )


def record(wanted: ExportWanted, template: str, script: str) -> ExportJob:
    """The record of a job that makes the export."""
    id = new_id()
    job = ExportJob(
        id=id,
        type=wanted.type,
        base_model_id=wanted.base_model_id,
        adapter_id=wanted.adapter_id,
        model_name=wanted.model_name,
        model_description=wanted.model_description,
        artifact_location=wanted.artifact_location,
        generation_config=wanted.generation_config,
        location=f"{FOLDER}/{id}",
        num_cpu=wanted.cpu.value,
        num_gpu=wanted.gpu.value,
        num_memory=wanted.memory.value,
        **wanted.repetition(),
    )
    job.spec = JobSpec(
        template=template,
        script=script,
        arguments=_arguments(job),
        cpu=wanted.cpu.value,
        memory=wanted.memory.value,
        gpu=wanted.gpu.value,
        title=f"export {wanted.model_name}",
    ).stored()
    return job


def _arguments(job: ExportJob) -> str:
    settings = json.loads(job.generation_config or "{}")
    return encode(
        {
            "export_type": job.type,
            "base_model_id": job.base_model_id,
            "adapter_id": job.adapter_id,
            # A name may have blanks in it.
            "model_name": compact_json(job.model_name),
            "artifact_location": job.artifact_location,
            "result_dir": job.location,
            "generation_config": compact_json(settings),
        }
    )
