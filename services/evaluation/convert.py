"""Messages made of the domain's rows and records."""

import json
from typing import Any

from chassis.store.forms import MessageForm, Values
from ft.proto.fine_tuning_studio_pb2 import EvaluationJobMetadata
from ft.proto.fine_tuning_studio_types_pb2 import EvaluationSample
from jobs.store.status import COLUMNS, job_status
from services.evaluation.store import EvaluationJob


def _more(values: Values) -> dict[str, Any]:
    samples = json.loads(values["samples"] or "[]")
    return {
        "status": job_status(values),
        "metrics": json.loads(values["metrics"] or "{}"),
        "samples": [EvaluationSample(**sample) for sample in samples],
    }


METADATA = MessageForm(
    EvaluationJobMetadata,
    EvaluationJob.table(),
    needs=(*COLUMNS, "metrics", "samples"),
    more=_more,
)
"""The job as clients see it."""
