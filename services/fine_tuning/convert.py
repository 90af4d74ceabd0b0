"""Messages made of the domain's rows and records."""

from ft.proto.fine_tuning_studio_pb2 import FineTuningJobMetadata
from jobs.store.status import job_form
from services.fine_tuning.store import FineTuningJob

METADATA = job_form(FineTuningJobMetadata, FineTuningJob.table())
"""The job as clients see it."""
LISTED = job_form(FineTuningJobMetadata, FineTuningJob.table(), but=("manifest",))
"""The job as lists have it: its manifest would be most of a list."""
