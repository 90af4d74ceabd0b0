"""What may go wrong in a job, and how it is told to the user: in one sentence."""

import grpc

from ft.client import StudioError
from ft.enums import FailureKind
from rows.errors import RowsError, first_line

MEMORY_PHRASES = ("out of memory", "can't allocate memory", "cannot allocate memory")
REFUSALS = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.UNAUTHENTICATED,
)
"""Answers of the studio that would be the same the next time."""


class TrainerError(Exception):
    """A job cannot go on. Its text is one sentence that a user can act on."""


class ArgumentsError(TrainerError):
    """The job's arguments are incomplete or malformed."""


class SettingsError(TrainerError):
    """A config names an unknown setting or gives one a value that it cannot have."""


class ModelError(TrainerError):
    """The base model, its tokenizer or an adapter cannot be used."""


class TrainingError(TrainerError):
    """The training has gone wrong: its numbers are not finite, or it has changed nothing."""


class ParityError(TrainerError):
    """A model is not the one that was trained, or does not answer as that did."""


class UnsupportedError(TrainerError):
    """The studio cannot do this."""


class RegistrationError(TrainerError):
    """The adapter is saved, but the studio did not take it into its list."""


class WorkerError(TrainerError):
    """One of several workers has failed, and with it all of them."""

    def __init__(self, reason: str, kind: FailureKind, detail: str = "") -> None:
        super().__init__(reason)
        self.kind = kind
        self.detail = detail


class TrackingError(TrainerError):
    """MLflow's tracking store does not take what it is given."""


def explain(error: BaseException) -> str:
    """One sentence about the error, fit for the user. Never more than its first line."""
    if isinstance(error, TrainerError | RowsError):
        return str(error)
    line = first_line(error)
    if isinstance(error, StudioError):
        return f"The studio answered: {line}"
    if of_memory(error):
        return (
            "Out of memory: use a smaller per_device_train_batch_size or max_length, "
            "a quantised base model, or ask for more memory."
        )
    return f"Unforeseen {type(error).__name__}: {line}"


def kind_of(error: BaseException) -> FailureKind:
    """What kind of failure it is: whether the user has to change something, or it may pass."""
    if isinstance(error, WorkerError):
        return error.kind
    if of_memory(error):
        return FailureKind.OUT_OF_MEMORY
    if isinstance(error, RegistrationError) and error.__cause__ is not None:
        return kind_of(error.__cause__)
    if isinstance(error, StudioError):
        return FailureKind.USER_ERROR if error.code in REFUSALS else FailureKind.ERROR
    if isinstance(error, TrainerError | RowsError) and not isinstance(error, TrackingError):
        return FailureKind.USER_ERROR
    return FailureKind.ERROR


def describe(error: BaseException) -> str:
    """What a developer wants to know beside the reason."""
    if isinstance(error, WorkerError) and error.detail:
        return error.detail
    return f"{type(error).__name__}: {first_line(error)}"


def of_memory(error: BaseException) -> bool:
    """Whether memory has run out."""
    line = first_line(error).lower()
    return isinstance(error, MemoryError) or any(phrase in line for phrase in MEMORY_PHRASES)
