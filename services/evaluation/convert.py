"""Messages to and from the domain's own terms."""

import json
from typing import Any

from chassis.store.convert import to_message
from ft.enums import EvaluationJobType
from ft.proto.fine_tuning_studio_pb2 import EvaluationJobMetadata, StartEvaluationJobRequest
from ft.proto.fine_tuning_studio_types_pb2 import EvaluationSample
from jobs.requests.arguments import decimal
from jobs.requests.repetition import repetition_asked
from services.evaluation.request import CONFIGS, EvaluationRequest
from services.evaluation.store import EvaluationJob


def from_request(request: StartEvaluationJobRequest) -> EvaluationRequest:
    """The request; fields that are not set take their defaults."""
    given: dict[str, Any] = {}
    if request.HasField("eval_dataset_fraction"):
        given["eval_dataset_fraction"] = decimal(request.eval_dataset_fraction)
    return EvaluationRequest(
        type=request.type or EvaluationJobType.MLFLOW,
        combinations=tuple(
            (c.base_model_id, c.adapter_id) for c in request.model_adapter_combinations
        ),
        dataset_id=request.dataset_id,
        prompt_id=request.prompt_id,
        cpu=request.cpu,
        gpu=request.gpu,
        memory=request.memory,
        gpu_label_id=request.gpu_label_id if request.HasField("gpu_label_id") else None,
        configs={name: text for name in CONFIGS if (text := getattr(request, name))},
        selected_features=tuple(request.selected_features),
        comparison_adapter_id=request.comparison_adapter_id,
        fit_answer_length=request.fit_answer_length,
        **given,
        **repetition_asked(request),
    )


def to_metadata(job: EvaluationJob) -> EvaluationJobMetadata:
    """The job as clients see it."""
    metadata = to_message(EvaluationJobMetadata, job, but=("metrics", "samples"))
    metadata.status.CopyFrom(job.status())
    metadata.metrics.update(json.loads(job.metrics or "{}"))
    metadata.samples.extend(EvaluationSample(**s) for s in json.loads(job.samples or "[]"))
    return metadata
