"""Messages to and from the domain's own terms."""

from chassis.convert import to_message
from ft.proto.fine_tuning_studio_jobs_pb2 import ExportJobMetadata
from ft.proto.fine_tuning_studio_pb2 import ExportModelRequest
from services.models.exports import request as defaults
from services.models.exports.request import ExportWanted
from services.models.exports.store import ExportJob


def from_request(request: ExportModelRequest) -> ExportWanted:
    """The request; fields that are not set take their defaults."""
    return ExportWanted(
        type=request.type,
        base_model_id=request.base_model_id,
        adapter_id=request.adapter_id,
        model_name=request.model_name.strip(),
        model_description=request.model_description,
        artifact_location=request.artifact_location,
        generation_config=request.generation_config,
        cpu=request.job_cpu if request.HasField("job_cpu") else defaults.CPU,
        memory=request.job_memory if request.HasField("job_memory") else defaults.MEMORY_GIB,
        gpu=request.job_gpu if request.HasField("job_gpu") else defaults.GPU,
    )


def to_metadata(job: ExportJob) -> ExportJobMetadata:
    """The job as clients see it."""
    metadata = to_message(ExportJobMetadata, job)
    metadata.status.CopyFrom(job.status())
    return metadata
