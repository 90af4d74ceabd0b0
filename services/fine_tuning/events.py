"""Changes that events make to a fine-tuning job, in addition to those of every job."""

import json

from ft.job_protocol.events import JobEvent, ManifestWritten, Registered
from jobs.execution.observer import Changes
from services.fine_tuning.store import FineTuningJob


def changes_of_event(_job: FineTuningJob, event: JobEvent, _changes: Changes) -> Changes:
    """Columns that the event changes, with their new values; see `jobs.execution.observer`."""
    match event:
        case Registered():
            return {"adapter_id": event.adapter_id or None}
        case ManifestWritten() if event.manifest is not None:
            return {"manifest": json.dumps(event.manifest, ensure_ascii=False)}
    return {}
