"""Messages to and from the domain's own terms."""

from chassis.store.convert import to_message
from ft.proto.fine_tuning_studio_jobs_pb2 import ExportJobMetadata
from ft.proto.fine_tuning_studio_pb2 import ExportModelRequest
from jobs.requests.repetition import repetition_asked
from services.models.exports.request import BY_JOB, ExportWanted, Number
from services.models.exports.store import ExportJob

CPU, MEMORY_GIB = 2, 8
GPU_OF_JOB, GPU_OF_SERVED = 0, 1
"""What is given where the request does not say."""


def from_request(request: ExportModelRequest) -> ExportWanted:
    """The request; fields that are not set take their defaults."""
    gpu = GPU_OF_JOB if request.type in BY_JOB else GPU_OF_SERVED
    return ExportWanted(
        type=request.type,
        base_model_id=request.base_model_id,
        adapter_id=request.adapter_id,
        model_name=request.model_name.strip(),
        model_description=request.model_description,
        artifact_location=request.artifact_location,
        generation_config=request.generation_config,
        disable_authentication=request.disable_authentication,
        cpu=_number(request, "cpu", CPU),
        memory=_number(request, "memory", MEMORY_GIB),
        gpu=_number(request, "gpu", gpu),
        **repetition_asked(request),
    )


def to_metadata(job: ExportJob) -> ExportJobMetadata:
    """The job as clients see it."""
    metadata = to_message(ExportJobMetadata, job)
    metadata.status.CopyFrom(job.status())
    return metadata


def _number(request: ExportModelRequest, name: str, default: int) -> Number:
    names = (f"job_{name}", name) if request.type in BY_JOB else (name,)
    for field in names:
        if request.HasField(field):  # type: ignore[arg-type]
            return Number(field, getattr(request, field))
    return Number(name, default)
