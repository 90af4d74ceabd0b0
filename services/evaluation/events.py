"""Changes that events make to an evaluation job, in addition to those of every job."""

import json

from ft.job_protocol.events import JobEvent, Metrics, SampleAnswered
from jobs.execution.observer import Changes
from services.evaluation.store import EvaluationJob


def changes_of_event(job: EvaluationJob, event: JobEvent, changes: Changes) -> Changes:
    """Columns that the event changes, with their new values; see `jobs.execution.observer`."""
    match event:
        case Metrics():
            return {"metrics": json.dumps(event.metrics), "rows": event.rows}
        case SampleAnswered():
            sample = {"input": event.input, "expected": event.expected, "output": event.output}
            samples = json.loads(changes.get("samples") or job.samples or "[]")
            if sample not in samples:
                return {"samples": json.dumps([*samples, sample])}
    return {}
