"""Errors of a job, each described to the user in one sentence."""

import grpc

from ft.client import StudioError
from ft.enums import FailureKind
from rows.errors import RowsError, first_line
from trainer.causes import cause_of, safe

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
"""Status codes of refusals, which a repeated call would get again."""


class TrainerError(Exception):
    """A job cannot continue. The text is one sentence that a user can act on."""


class ArgumentsError(TrainerError):
    """The job's arguments are incomplete or malformed."""


class SettingsError(TrainerError):
    """A config has an unknown setting, or a setting with an invalid value."""


class ModelError(TrainerError):
    """The base model, its tokenizer or an adapter cannot be used."""


class TrainingError(TrainerError):
    """The training has failed: its numbers are not finite, or it has changed nothing."""


class ParityError(TrainerError):
    """A model is not the one that was trained, or answers otherwise."""


class UnsupportedError(TrainerError):
    """The studio cannot do this."""


class RegistrationError(TrainerError):
    """The adapter is saved, but the studio has not registered it."""


class WorkerError(TrainerError):
    """One of several workers has failed, so that all of them end."""

    def __init__(self, reason: str, kind: FailureKind, detail: str = "") -> None:
        super().__init__(reason)
        self.kind = kind
        self.detail = detail


class EventsError(TrainerError):
    """The job's events cannot be written."""


class TrackingError(TrainerError):
    """MLflow's tracking store cannot be used."""


def explain(error: BaseException) -> str:
    """One sentence about the error for the user. Never more than its first line."""
    if isinstance(error, TrainerError | RowsError):
        text = str(error)
        if safe(text) == text:
            return text
        # It repeats a library's advice to run code from files.
        cause = cause_of(error)
        return cause.words if cause else safe(text)
    line = first_line(error)
    if isinstance(error, StudioError):
        if error.code == grpc.StatusCode.UNAVAILABLE:
            return (
                f"The studio does not answer ({line}): see `fts status`, and resume the job when "
                "the studio is running."
            )
        return f"The studio answered: {line}"
    cause = cause_of(error)
    return cause.words if cause else safe(f"Unforeseen {type(error).__name__}: {line}")


def is_known(error: BaseException) -> bool:
    """Tells whether the error's sentence is complete, so that a traceback would add nothing."""
    return isinstance(error, TrainerError | RowsError | StudioError)


def kind_of(error: BaseException) -> FailureKind:
    """The kind of failure: an error of the user, or one that may pass when the job is repeated."""
    if isinstance(error, WorkerError):
        return error.kind
    cause = cause_of(error)
    if cause is not None and cause.kind == FailureKind.OUT_OF_MEMORY:
        return cause.kind
    if isinstance(error, RegistrationError) and error.__cause__ is not None:
        return kind_of(error.__cause__)
    if isinstance(error, StudioError):
        return FailureKind.USER_ERROR if error.code in REFUSALS else FailureKind.ERROR
    if isinstance(error, EventsError | TrackingError):
        return cause.kind if cause else FailureKind.ERROR
    if isinstance(error, TrainerError | RowsError):
        return FailureKind.USER_ERROR
    return cause.kind if cause else FailureKind.ERROR


def describe(error: BaseException) -> str:
    """Details for developers, in addition to the reason."""
    if isinstance(error, WorkerError) and error.detail:
        return safe(error.detail)
    return safe(f"{type(error).__name__}: {first_line(error)}")
