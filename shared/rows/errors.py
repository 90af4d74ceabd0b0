"""Errors in data and tokenizers, each described in one sentence that a user can act on."""


class RowsError(Exception):
    """Rows, or their text, are not available."""


class DataError(RowsError):
    """The dataset cannot be read, or does not fit the prompt or the split."""


class NoRowsError(DataError):
    """A file has column names and no rows."""


class EmptyError(DataError):
    """The dataset can be read, but the split leaves no rows."""


class TokenError(RowsError):
    """The tokenizer lacks a required token."""


def first_line(error: BaseException) -> str:
    """The first line of the error's text that is not blank, without the rest."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
