"""Messages made of the records of export jobs."""

from chassis.store.convert import to_message
from ft.proto.fine_tuning_studio_jobs_pb2 import ExportJobMetadata
from services.models.exports.store import ExportJob


def to_metadata(job: ExportJob) -> ExportJobMetadata:
    """The job as clients see it."""
    metadata = to_message(ExportJobMetadata, job)
    metadata.status.CopyFrom(job.status())
    return metadata
