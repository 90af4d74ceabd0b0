"""Exit statuses, and the error messages of failed commands."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import grpc
import typer

from ft.cli.console import Console
from ft.client import StudioError
from ft.local.errors import AlreadyRunning, BadSetting, LocalError, ModelRefused
from ft.text import streams


class Exit(IntEnum):
    """Exit status of a command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    UNAVAILABLE = 5
    FAULT = 6
    INTERRUPTED = streams.INTERRUPTED
    READER_GONE = streams.READER_GONE


MEANINGS = """Exit status: 0 success; 1 a job failed or was stopped, two jobs differ, the studio \
is not healthy, or the output could not be written; 2 wrong usage; 3 not found; 4 refused; 5 the \
studio or a part of it cannot be reached or does not answer in time; 6 an internal error of the \
studio; 130 interrupted; 141 the reader of the output has closed the pipe."""

_BY_CODE = {
    grpc.StatusCode.NOT_FOUND: Exit.NOT_FOUND,
    grpc.StatusCode.UNAVAILABLE: Exit.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: Exit.UNAVAILABLE,
    grpc.StatusCode.CANCELLED: Exit.UNAVAILABLE,
    grpc.StatusCode.INTERNAL: Exit.FAULT,
    grpc.StatusCode.UNKNOWN: Exit.FAULT,
    grpc.StatusCode.DATA_LOSS: Exit.FAULT,
}


class CommandFailed(Exception):
    """Ends a command with a message on standard error and an exit status."""

    def __init__(self, message: str, status: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def errors_explained() -> Iterator[None]:
    """Turns exceptions of the block into one error message and an exit status."""
    try:
        yield
    except CommandFailed as error:
        _fail(str(error), error.status)
    except StudioError as error:
        _fail(str(error), _BY_CODE.get(error.code, Exit.REFUSED))
    except LocalError as error:
        refused = {
            BadSetting: Exit.USAGE,
            AlreadyRunning: Exit.REFUSED,
            ModelRefused: Exit.REFUSED,
        }
        _fail(str(error), refused.get(type(error), Exit.FAILED))
    except KeyboardInterrupt:
        _fail("interrupted", Exit.INTERRUPTED)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}", Exit.FAILED)


def _fail(message: str, status: Exit) -> None:
    Console(sys.stderr, soft_wrap=True).print(f"error: {message}", style="red")
    raise typer.Exit(status)
