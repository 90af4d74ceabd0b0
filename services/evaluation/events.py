"""Changes that events make to an evaluation job, in addition to those of every job."""

import json
from collections.abc import Mapping
from typing import Any

from jobs.execution.reports import is_count, is_number
from services.evaluation.store import EvaluationJob


def changes_of_event(
    job: EvaluationJob, event: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Columns that the event changes, with their new values; see `jobs.execution.observer`.

    `changes` is what earlier events of the same report change.
    """
    if event.get("event") == "metrics":
        metrics, rows = event.get("metrics"), event.get("rows")
        scores = metrics.items() if isinstance(metrics, dict) else ()
        return {
            "metrics": json.dumps({name: score for name, score in scores if is_number(score)}),
            "rows": rows if is_count(rows) else None,
        }
    if event.get("event") == "sample":
        sample = {key: str(event.get(key, "")) for key in ("input", "expected", "output")}
        samples = json.loads(changes.get("samples") or job.samples or "[]")
        if sample not in samples:
            return {"samples": json.dumps([*samples, sample])}
    return {}
