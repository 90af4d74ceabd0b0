"""What may go wrong in a job, and how it is told to the user: in one sentence."""

from ft.client import StudioError

MEMORY_PHRASES = ("out of memory", "can't allocate memory", "cannot allocate memory")


class TrainerError(Exception):
    """A job cannot go on. Its text is one sentence that a user can act on."""


class ArgumentsError(TrainerError):
    """The job's arguments are incomplete or malformed."""


class SettingsError(TrainerError):
    """A config names an unknown setting or gives one a value that it cannot have."""


class DataError(TrainerError):
    """The dataset cannot be read, or does not fit the prompt or the split."""


class ModelError(TrainerError):
    """The base model, its tokenizer or an adapter cannot be used."""


class UnsupportedError(TrainerError):
    """The studio cannot do this."""


class RegistrationError(TrainerError):
    """The adapter is saved, but the studio did not take it into its list."""


def explain(error: BaseException) -> str:
    """One sentence about the error, fit for the user. Never more than its first line."""
    if isinstance(error, TrainerError):
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


def first_line(error: BaseException) -> str:
    """The first line of the error's text that is not blank, without the rest."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
