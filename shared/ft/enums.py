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
    """Where a dataset's rows come from."""

    HUGGINGFACE = "huggingface"
    PROJECT = "project"
    PROJECT_CSV = "project_csv"
    PROJECT_JSON = "project_json"
    PROJECT_JSONL = "project_jsonl"


class ModelType(StrEnum):
    """Where a base model's files come from."""

    HUGGINGFACE = "huggingface"
    PROJECT = "project"
    MODEL_REGISTRY = "model_registry"


class AdapterType(StrEnum):
    """Where an adapter's files come from."""

    PROJECT = "project"
    HUGGINGFACE = "huggingface"
    MODEL_REGISTRY = "model_registry"


class PromptType(StrEnum):
    """How a prompt is kept."""

    IN_PLACE = "in_place"


class ConfigType(StrEnum):
    """What a stored config configures."""

    TRAINING_ARGUMENTS = "training_arguments"
    BITSANDBYTES_CONFIG = "bitsandbytes_config"
    GENERATION_CONFIG = "generation_config"
    LORA_CONFIG = "lora_config"
    CUSTOM = "custom"
    AXOLOTL = "axolotl"
    AXOLOTL_DATASET_FORMATS = "axolotl_dataset_formats"


class FineTuningFrameworkType(StrEnum):
    """What trains. `legacy` is the studio's own trainer on TRL and PEFT."""

    LEGACY = "legacy"
    AXOLOTL = "axolotl"


class ModelExportType(StrEnum):
    """Where an exported model goes."""

    MODEL_REGISTRY = "model_registry"
    CML_MODEL = "cml_model"


class OnConflict(StrEnum):
    """Handling of an imported row that already exists with different content."""

    REFUSE = "refuse"
    SKIP = "skip"
    REPLACE = "replace"


class ExportType(StrEnum):
    """What ExportModel takes: `ModelExportType`, whose values are frozen, and the studio's own."""

    MODEL_REGISTRY = "model_registry"
    CML_MODEL = "cml_model"
    MERGED = "merged"


class ModelFrameworkType(StrEnum):
    """The library that a model's weights are for."""

    PYTORCH = "pytorch"
    TENSORFLOW = "tensorflow"
    ONNX = "onnx"


class EvaluationJobType(StrEnum):
    """What measures."""

    MLFLOW = "mlflow"


class FailureKind(StrEnum):
    """What kind of failure ended a job, as in `JobStatus.failure_kind`."""

    USER_ERROR = "USER_ERROR"
    """Settings, data or model have to be changed."""
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    ERROR = "ERROR"
    """Something else, which the job told."""
    CRASHED = "CRASHED"
    """It ended without a word."""
    TIMED_OUT = "TIMED_OUT"
    LOST = "LOST"
    REFUSED = "REFUSED"
    """The workspace did not take it."""


class JobState(StrEnum):
    """How far a job has come, as in `JobStatus.state`."""

    QUEUED = "QUEUED"
    """Recorded; nothing was asked of the workspace yet."""
    DISPATCHING = "DISPATCHING"
    """The workspace was asked to take it and has not said yes yet."""
    SCHEDULED = "SCHEDULED"
    """The workspace has accepted it and waits for room."""
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"
    TIMED_OUT = "TIMED_OUT"
    LOST = "LOST"
    """The workspace no longer knows it, so nobody can say what became of it."""
    UNKNOWN = "UNKNOWN"
    """It was imported from a studio that kept no states; nobody follows it any more."""

    @property
    def ended(self) -> bool:
        """Whether the job will not change any more."""
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
