"""Messages made of the rows and records of export jobs."""

from ft.proto.fine_tuning_studio_jobs_pb2 import ExportJobMetadata
from jobs.store.status import job_form
from services.models.exports.store import ExportJob

METADATA = job_form(ExportJobMetadata, ExportJob.table())
"""The job as clients see it."""
