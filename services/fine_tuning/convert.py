"""Messages to and from the domain's own terms."""

from typing import Any

from chassis.store.convert import to_message
from ft.enums import FineTuningFrameworkType
from ft.proto.fine_tuning_studio_pb2 import FineTuningJobMetadata, StartFineTuningJobRequest
from jobs.requests.arguments import decimal
from jobs.requests.repetition import repetition_asked
from services.fine_tuning.request import CONFIGS, JobRequest, Resources
from services.fine_tuning.store import FineTuningJob

_DEFAULTED = ("num_workers", "train_test_split", "dataset_fraction")
_OPTIONAL = ("num_epochs", "learning_rate", "gpu_label_id")
_PLAIN = (
    "adapter_name",
    "base_model_id",
    "dataset_id",
    "prompt_id",
    "auto_add_adapter",
    "output_dir",
    "user_script",
    "user_config_id",
    "user_config",
    "axolotl_config_id",
)


def from_request(request: StartFineTuningJobRequest) -> JobRequest:
    """The request; fields that are not set take their defaults."""
    given: dict[str, Any] = {
        name: _number(getattr(request, name))
        for name in (*_DEFAULTED, *_OPTIONAL)
        if request.HasField(name)  # type: ignore[arg-type]
    }
    return JobRequest(
        **{name: getattr(request, name) for name in _PLAIN},
        **given,
        **repetition_asked(request),
        cpu=_resources(request, "cpu"),
        gpu=_resources(request, "gpu"),
        memory=_resources(request, "memory"),
        framework_type=request.framework_type or FineTuningFrameworkType.LEGACY,
        configs={name: text for name in CONFIGS if (text := getattr(request, name))},
    )


def to_metadata(job: FineTuningJob) -> FineTuningJobMetadata:
    """The job as clients see it."""
    metadata = to_message(FineTuningJobMetadata, job)
    metadata.status.CopyFrom(job.status())
    return metadata


def to_listed(job: FineTuningJob) -> FineTuningJobMetadata:
    """The job as lists have it: its manifest would be most of a list."""
    metadata = to_metadata(job)
    metadata.ClearField("manifest")
    return metadata


def _resources(request: StartFineTuningJobRequest, name: str) -> Resources:
    alias = f"num_{name}"

    def value(field: str) -> int | None:
        return getattr(request, field) if request.HasField(field) else None  # type: ignore[arg-type]

    return Resources(name=name, value=value(name), alias=alias, alias_value=value(alias))


def _number(value: float) -> float:
    # The wire carries 32 bits: 0.002 arrives as 0.0020000000949949026.
    return decimal(value) if isinstance(value, float) else value
