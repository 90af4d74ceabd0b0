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
from services.models.exports.request import ExportRequest
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


def asked(request: ExportRequest) -> RequestedResources:
    """Resources that the job requests."""
    return RequestedResources(
        cpu=request.cpu.value,
        memory=request.memory.value,
        gpu=request.gpu.value,
        fields={name: getattr(request, name).field for name in ("cpu", "memory", "gpu")},
    )


def record(request: ExportRequest, template: str, script: str) -> ExportJob:
    """Returns the record of a job that makes the export."""
    id = new_id()
    location = f"{FOLDER}/{id}"
    cpu, memory, gpu = request.cpu.value, request.memory.value, request.gpu.value
    flags = {
        **request.flags(),
        "export_type": request.type,
        # A name may have blanks in it.
        "model_name": compact_json(request.model_name),
        "result_dir": location,
        "generation_config": compact_json(json.loads(request.generation_config or "{}")),
    }
    spec = JobSpec(
        template=template,
        script=script,
        arguments=encode(flags),
        cpu=cpu,
        memory=memory,
        gpu=gpu,
        title=f"export {request.model_name}",
    )
    return ExportJob(
        id=id,
        location=location,
        num_cpu=cpu,
        num_gpu=gpu,
        num_memory=memory,
        spec=spec.stored(),
        **request.columns(ExportJob),
    )
