"""What every command has: the studio it talks to, and how it prints."""

import inspect
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Annotated

import typer

from ft.cli import locations
from ft.cli.exits import CommandFailed, Exit, errors_explained
from ft.cli.options import grouped, options_of
from ft.cli.output.render import Output
from ft.client import FineTuningStudioClient
from ft.job_protocol.variables import STUDIO_IP, STUDIO_PORT
from ft.local.home import Home
from ft.local.studio import facade_address

DEFAULT_HOME = Path(".fts")

ServerOption = Annotated[
    str,
    typer.Option(
        "--server",
        metavar="HOST:PORT",
        help=f"Address of the studio. Default: {STUDIO_IP} and {STUDIO_PORT}, "
        "else the one that `fts up` started in the home.",
        show_default=False,
        rich_help_panel="Studio",
    ),
]
HomeOption = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="FTS_HOME",
        help="Folder of the studio on this machine.",
        rich_help_panel="Studio",
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print JSON, for scripts.", rich_help_panel="Studio"),
]


class Session:
    """One run of a command."""

    def __init__(self, server: str, home: Path, json: bool) -> None:
        self.server = server
        self._home = home
        self.out = Output(json)

    @cached_property
    def home(self) -> Home:
        """The studio's folder on this machine."""
        return Home(self._home)

    @cached_property
    def client(self) -> FineTuningStudioClient:
        """The studio's client. Raises CommandFailed if no address of one is known."""
        if self.server:
            host, colon, port = self.server.rpartition(":")
            if not colon or not host:
                raise CommandFailed(f"--server: {self.server!r} is not HOST:PORT", Exit.USAGE)
            return _client(host, port)
        if self.remote_by_environment:
            return _client(None, None)
        address = facade_address(self.home)
        if address is None:
            raise CommandFailed(
                f"no studio runs in {self.home.path}; start one with `fts up`, or name one "
                f"with --server or {STUDIO_IP} and {STUDIO_PORT}",
                Exit.UNAVAILABLE,
            )
        host, _, port = address.rpartition(":")
        return _client(host, port)

    @cached_property
    def remote_by_environment(self) -> bool:
        """Whether the environment names a studio."""
        return bool(os.environ.get(STUDIO_IP))

    @property
    def local(self) -> bool:
        """Whether the studio is the one in the home, and nobody named another."""
        return not self.server and not self.remote_by_environment


def _client(host: str | None, port: str | None) -> FineTuningStudioClient:
    try:
        return FineTuningStudioClient(host, port)
    except ValueError as error:
        raise CommandFailed(str(error), Exit.USAGE) from None


def with_session(function: Callable[..., None]) -> Callable[..., None]:
    """The function with the options --server, --home and --json in place of a session, and with
    those of each group (see `ft.cli.options`) in place of the group."""

    def run(
        *, server: str = "", home: Path = DEFAULT_HOME, json: bool = False, **given: object
    ) -> None:
        with errors_explained():
            texts = {name: _text(name, value) for name, value in given.items()}
            session = Session(server, home, json)
            with locations.explained(session, texts):
                function(session, **grouped(function, texts))

    own = options_of(function)
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, default, kind in (
            ("server", "", ServerOption),
            ("home", DEFAULT_HOME, HomeOption),
            ("json", False, JsonOption),
        )
    ]
    run.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in [*own, *shared]}
    run.__doc__ = function.__doc__
    return run


def _text(name: str, value: object) -> object:
    """The value of an option; texts, which are UTF-8, as such, whatever the locale took them for.

    Raises CommandFailed for bytes that are not UTF-8.
    """
    if isinstance(value, list):
        return [_text(name, one) for one in value]
    if type(value) is not str or value.isascii():
        return value
    try:
        return os.fsencode(value).decode()
    except UnicodeDecodeError:
        raise CommandFailed(
            f"{name.replace('_', '-')}: is not UTF-8: {value!r}", Exit.USAGE
        ) from None
    except UnicodeEncodeError:
        # It was not decoded by the locale, but given by a script.
        return value


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Adds a command to `app`: a function whose first parameter is its session."""

    def add(function: Callable[..., None]) -> Callable[..., None]:
        app.command(name)(with_session(function))
        return function

    return add


def alone(app: typer.Typer, function: Callable[..., None]) -> None:
    """Has a group of commands do what `function` does where none of them is given."""

    @app.callback(invoke_without_command=True)
    def run(
        context: typer.Context,
        server: ServerOption = "",
        home: HomeOption = DEFAULT_HOME,
        json: JsonOption = False,
    ) -> None:
        if context.invoked_subcommand is None:
            with_session(function)(server=server, home=home, json=json)
