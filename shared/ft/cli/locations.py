"""Help with locations that the studio on this machine refuses."""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ft.cli.exits import CommandFailed, Exit
from ft.client import InvalidArgumentError
from ft.local.errors import BadSetting

if TYPE_CHECKING:
    from ft.cli.session import Session

_RULES = ("FT-008", "FT-009", "FT-010")
"""That a location lies within the project directory, and is a file or a directory there."""
_OPTIONS = ("location", "output_dir", "path", "user_script")
"""Options that take a location."""


@contextmanager
def explained(session: "Session", given: Mapping[str, object]) -> Iterator[None]:
    """Adds to a refused location the project directory and what to do.

    Only for the studio of this machine's home: the folder of another is nobody's business here.
    """
    try:
        yield
    except InvalidArgumentError as error:
        if not any(one.rule in _RULES for one in error.violations):
            raise
        project = project_of(session)
        if project is None:
            raise
        values = [given.get(name) for name in _OPTIONS]
        location = next((one for one in values if isinstance(one, str) and one), "")
        raise CommandFailed(f"{error}. {_remedy(project, location)}", Exit.REFUSED) from None


def project_of(session: "Session") -> Path | None:
    """The project directory of the studio in the home; None where another studio is asked."""
    if not session.local:
        return None
    try:
        setup = session.home.setup()
    except BadSetting:
        return None
    return Path(setup.project) if setup and setup.project else None


def _remedy(project: Path, location: str) -> str:
    folder = f"The project directory is {project}"
    try:
        here = Path(location).resolve()
        there = bool(location) and here.exists()
    except (OSError, ValueError, RuntimeError):
        there = False
    if not there:
        return f"{folder}: put it there, and give its path within it."
    if here.is_relative_to(project.resolve()):
        return f"{folder}: paths are within it, so give {shlex.quote(within(here, project))}."
    copy = shlex.join(["cp", *(["-r"] if here.is_dir() else []), str(here), f"{project}/"])
    return f"{folder}: copy it there ({copy}), and give {shlex.quote(here.name)}."


def within(path: Path, project: Path) -> str:
    """The path within the project directory."""
    return str(path.relative_to(project.resolve()))
