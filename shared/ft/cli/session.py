"""The session of a command: the studio that it talks to, and its output."""

import inspect
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Annotated

import typer

from ft.cli.exits import CommandFailed, Exit, errors_explained
from ft.cli.locations import location_advice
from ft.cli.options import grouped, options_of
from ft.cli.output.render import Output
from ft.client import FineTuningStudioClient
from ft.job_protocol.variables import STUDIO_IP, STUDIO_PORT
from ft.local.errors import BadSetting
from ft.local.home import Home
from ft.local.studio import facade_address

DEFAULT_HOME = Path(".fts")

ServerOption = Annotated[
    str,
    typer.Option(
        "--server",
        metavar="HOST:PORT",
        help=f"Address of the studio. Default: {STUDIO_IP} and {STUDIO_PORT}, "
        "or else the studio that `fts up` started on this machine.",
        show_default=False,
        rich_help_panel="Studio",
    ),
]
HomeOption = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="FTS_HOME",
        help="Folder in which the studio on this machine keeps its state.",
        rich_help_panel="Studio",
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print JSON, for scripts.", rich_help_panel="Studio"),
]


class Session:
    """The studio and the output of one run of a command."""

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
        """The client of the studio. Raises CommandFailed if its address is not known."""
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
                f"no studio runs in {self.home.path}: start one with `fts up`, or give the address "
                f"of one by --server or by {STUDIO_IP} and {STUDIO_PORT}",
                Exit.UNAVAILABLE,
            )
        host, _, port = address.rpartition(":")
        return _client(host, port)

    @cached_property
    def remote_by_environment(self) -> bool:
        """True if the environment names a studio."""
        return bool(os.environ.get(STUDIO_IP))

    @property
    def local(self) -> bool:
        """True for the studio in the home, which is used if no other one is named."""
        return not self.server and not self.remote_by_environment

    @property
    def project_dir(self) -> Path | None:
        """The project directory of the studio in the home; None if another studio is used."""
        if not self.local:
            return None
        try:
            setup = self.home.setup()
        except BadSetting:
            return None
        return Path(setup.project) if setup and setup.project else None


def _client(host: str | None, port: str | None) -> FineTuningStudioClient:
    try:
        return FineTuningStudioClient(host, port)
    except ValueError as error:
        raise CommandFailed(str(error), Exit.USAGE) from None


def with_session(function: Callable[..., None]) -> Callable[..., None]:
    """Replaces the session of a command by the options --server, --home and --json.

    Also replaces each group of options (see `ft.cli.options`) by the options in it.
    """

    def run(
        *, server: str = "", home: Path = DEFAULT_HOME, json: bool = False, **given: object
    ) -> None:
        with errors_explained():
            texts = {name: _text(name, value) for name, value in given.items()}
            session = Session(server, home, json)
            with location_advice(lambda: session.project_dir, texts):
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
    """The value of an option, decoded as UTF-8 whatever the encoding of the locale is.

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
            f"{name.replace('_', '-')}: {value!r} is not UTF-8", Exit.USAGE
        ) from None
    except UnicodeEncodeError:
        # A script has passed it, so the locale has not decoded it.
        return value


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Adds a function to `app` as a command. Its first parameter is the session."""

    def add(function: Callable[..., None]) -> Callable[..., None]:
        app.command(name)(with_session(function))
        return function

    return add


def set_default(app: typer.Typer, function: Callable[..., None]) -> None:
    """Makes `function` the command that a group runs if no subcommand is given."""

    @app.callback(invoke_without_command=True)
    def run(
        context: typer.Context,
        server: ServerOption = "",
        home: HomeOption = DEFAULT_HOME,
        json: JsonOption = False,
    ) -> None:
        if context.invoked_subcommand is None:
            with_session(function)(server=server, home=home, json=json)
