"""Reports of a job by `ReportJobEvents`: parts of its file of events, as they are in the file."""

from enum import StrEnum

MAX_REPORT_BYTES = 256 * 1024
"""Most bytes of events in one report."""
KIND_METADATA = "x-job-kind"
"""Metadata key of a report with the job's kind, by which the facade finds the domain that owns the
job. Reports without it are offered to each domain that has jobs."""


class JobKind(StrEnum):
    """Kinds of jobs. Each kind belongs to one domain, see `ft.domains`."""

    FINE_TUNING = "fine_tuning"
    EVALUATION = "evaluation"
    EXPORT = "export"

    @property
    def label(self) -> str:
        """The kind in a sentence, such as `fine-tuning job`."""
        return f"{self.replace('_', '-')} job"
