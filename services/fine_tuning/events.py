"""Changes that events make to a fine-tuning job, in addition to those of every job."""

import json
from collections.abc import Mapping
from typing import Any

from services.fine_tuning.store import FineTuningJob


def changes_of_event(
    _job: FineTuningJob, event: Mapping[str, Any], _changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Columns that the event changes, with their new values; see `jobs.execution.observer`."""
    if event.get("event") == "registered":
        return {"adapter_id": str(event.get("adapter_id") or "") or None}
    if event.get("event") == "manifest" and isinstance(event.get("manifest"), dict):
        return {"manifest": json.dumps(event.get("manifest"), ensure_ascii=False)}
    return {}
