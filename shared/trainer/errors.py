"""What may go wrong in a job, and how it is told to the user: in one sentence."""

from ft.client import StudioError
from rows.errors import RowsError, first_line

MEMORY_PHRASES = ("out of memory", "can't allocate memory", "cannot allocate memory")


class TrainerError(Exception):
    """A job cannot go on. Its text is one sentence that a user can act on."""


class ArgumentsError(TrainerError):
    """The job's arguments are incomplete or malformed."""


class SettingsError(TrainerError):
    """A config names an unknown setting or gives one a value that it cannot have."""


class ModelError(TrainerError):
    """The base model, its tokenizer or an adapter cannot be used."""


class UnsupportedError(TrainerError):
    """The studio cannot do this."""


class RegistrationError(TrainerError):
    """The adapter is saved, but the studio did not take it into its list."""


def explain(error: BaseException) -> str:
    """One sentence about the error, fit for the user. Never more than its first line."""
    if isinstance(error, TrainerError | RowsError):
        return str(error)
    line = first_line(error)
    if isinstance(error, StudioError):
        return f"The studio answered: {line}"
    if isinstance(error, MemoryError) or any(phrase in line.lower() for phrase in MEMORY_PHRASES):
        return (
            "Out of memory: use a smaller per_device_train_batch_size or max_length, "
            "a quantised base model, or ask for more memory."
        )
    return f"Unforeseen {type(error).__name__}: {line}"
