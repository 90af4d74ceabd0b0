"""The contract's enumerations. On the wire they are strings; each member is a `str`."""

from enum import StrEnum

__all__ = [
    "AdapterType",
    "ConfigType",
    "DatasetType",
    "EvaluationJobType",
    "ExportType",
    "FailureKind",
    "FineTuningFrameworkType",
    "JobState",
    "ModelExportType",
    "ModelFrameworkType",
    "ModelType",
    "OnConflict",
    "PromptType",
]


class DatasetType(StrEnum):
    """Source of a dataset's rows."""

    HUGGINGFACE = "huggingface"
    PROJECT = "project"
    PROJECT_CSV = "project_csv"
    PROJECT_JSON = "project_json"
    PROJECT_JSONL = "project_jsonl"


class ModelType(StrEnum):
    """Source of a base model's files."""

    HUGGINGFACE = "huggingface"
    PROJECT = "project"
    MODEL_REGISTRY = "model_registry"


class AdapterType(StrEnum):
    """Source of an adapter's files."""

    PROJECT = "project"
    HUGGINGFACE = "huggingface"
    MODEL_REGISTRY = "model_registry"


class PromptType(StrEnum):
    """Form in which a prompt is stored."""

    IN_PLACE = "in_place"


class ConfigType(StrEnum):
    """Subject of a stored config."""

    TRAINING_ARGUMENTS = "training_arguments"
    BITSANDBYTES_CONFIG = "bitsandbytes_config"
    GENERATION_CONFIG = "generation_config"
    LORA_CONFIG = "lora_config"
    CUSTOM = "custom"
    AXOLOTL = "axolotl"
    AXOLOTL_DATASET_FORMATS = "axolotl_dataset_formats"


class FineTuningFrameworkType(StrEnum):
    """Software that trains. `legacy` is the studio's own trainer on TRL and PEFT."""

    LEGACY = "legacy"
    AXOLOTL = "axolotl"


class ModelExportType(StrEnum):
    """Destination of an exported model."""

    MODEL_REGISTRY = "model_registry"
    CML_MODEL = "cml_model"


class OnConflict(StrEnum):
    """Handling of an imported row that already exists with different content."""

    REFUSE = "refuse"
    SKIP = "skip"
    REPLACE = "replace"


class ExportType(StrEnum):
    """Destinations that ExportModel accepts: the frozen `ModelExportType`, and the studio's own."""

    MODEL_REGISTRY = "model_registry"
    CML_MODEL = "cml_model"
    MERGED = "merged"


class ModelFrameworkType(StrEnum):
    """The library that a model's weights are for."""

    PYTORCH = "pytorch"
    TENSORFLOW = "tensorflow"
    ONNX = "onnx"


class EvaluationJobType(StrEnum):
    """Software that measures."""

    MLFLOW = "mlflow"


class FailureKind(StrEnum):
    """Kind of the failure that ended a job, as in `JobStatus.failure_kind`."""

    USER_ERROR = "USER_ERROR"
    """Settings, data or model have to be changed."""
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    ERROR = "ERROR"
    """Another error, which the job reported."""
    CRASHED = "CRASHED"
    """The job ended without a report."""
    TIMED_OUT = "TIMED_OUT"
    LOST = "LOST"
    REFUSED = "REFUSED"
    """The workspace did not accept the job."""


class JobState(StrEnum):
    """State of a job, as in `JobStatus.state`."""

    QUEUED = "QUEUED"
    """Recorded; nothing has been sent to the workspace yet."""
    DISPATCHING = "DISPATCHING"
    """Sent to the workspace, which has not accepted it yet."""
    SCHEDULED = "SCHEDULED"
    """Accepted by the workspace; waits for resources."""
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"
    TIMED_OUT = "TIMED_OUT"
    LOST = "LOST"
    """The workspace no longer knows it, so its result is unknown."""
    UNKNOWN = "UNKNOWN"
    """Imported from a studio that kept no states; nothing observes it any more."""

    @property
    def ended(self) -> bool:
        """True if the job will not change any more."""
        return self in _ENDED


_ENDED = frozenset(
    {
        JobState.SUCCEEDED,
        JobState.FAILED,
        JobState.STOPPED,
        JobState.TIMED_OUT,
        JobState.LOST,
        JobState.UNKNOWN,
    }
)
