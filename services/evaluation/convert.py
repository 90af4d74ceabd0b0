"""Messages made of the domain's records."""

import json

from chassis.store.convert import to_message
from ft.proto.fine_tuning_studio_pb2 import EvaluationJobMetadata
from ft.proto.fine_tuning_studio_types_pb2 import EvaluationSample
from services.evaluation.store import EvaluationJob


def to_metadata(job: EvaluationJob) -> EvaluationJobMetadata:
    """The job as clients see it."""
    metadata = to_message(EvaluationJobMetadata, job, but=("metrics", "samples"))
    metadata.status.CopyFrom(job.status())
    metadata.metrics.update(json.loads(job.metrics or "{}"))
    metadata.samples.extend(EvaluationSample(**s) for s in json.loads(job.samples or "[]"))
    return metadata
