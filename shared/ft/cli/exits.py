"""Exit statuses, and what a failed command says."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum

import grpc
import typer
from rich.console import Console

from ft.client import StudioError
from ft.local.errors import AlreadyRunning, BadSetting, LocalError, ModelRefused
from ft.terminal import OutputLost, printable


class Exit(IntEnum):
    """What a command's exit status means."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    UNAVAILABLE = 5
    FAULT = 6
    INTERRUPTED = 130
    READER_GONE = 141
    """As of a process that SIGPIPE ends."""


MEANINGS = """Exit status: 0 done; 1 the job failed, jobs differ, the studio is not healthy, \
or the output cannot be written; \
2 wrong usage; 3 not found; 4 refused; 5 the studio or a part of it cannot be reached, or took too \
long; 6 a fault of the studio's own; 130 interrupted; 141 nobody reads the \
output any more."""

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
    """Ends a command with a message on standard error and a status."""

    def __init__(self, message: str, status: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def errors_explained() -> Iterator[None]:
    """Turns what a command can run into to one clean message and the fitting status."""
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
    except OutputLost as error:
        if error.reader_gone:
            raise typer.Exit(Exit.READER_GONE) from None
        _fail(str(error), Exit.FAILED)
    except KeyboardInterrupt:
        _fail("interrupted", Exit.INTERRUPTED)


def _fail(message: str, status: Exit) -> None:
    # Where standard error takes nothing either, the status still tells.
    with suppress(OSError, SystemExit):
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"error: {printable(message)}", markup=False, style="red"
        )
    raise typer.Exit(status)
