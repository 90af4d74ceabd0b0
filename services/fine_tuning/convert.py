"""Messages made of the domain's records."""

from chassis.store.convert import to_message
from ft.proto.fine_tuning_studio_pb2 import FineTuningJobMetadata
from services.fine_tuning.store import FineTuningJob


def to_metadata(job: FineTuningJob) -> FineTuningJobMetadata:
    """The job as clients see it."""
    metadata = to_message(FineTuningJobMetadata, job)
    metadata.status.CopyFrom(job.status())
    return metadata


def to_listed(job: FineTuningJob) -> FineTuningJobMetadata:
    """The job as lists have it: its manifest would be most of a list."""
    metadata = to_metadata(job)
    metadata.ClearField("manifest")
    return metadata
