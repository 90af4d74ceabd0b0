"""Advice about locations that the studio on this machine refuses."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ft.cli.exits import CommandFailed, Exit
from ft.client import InvalidArgumentError

_RULES = ("FT-008", "FT-009", "FT-010")
"""Rules that a location is a file or a directory within the project directory."""
_OPTIONS = ("location", "output_dir", "path", "user_script")
"""Options that take a location."""


@contextmanager
def location_advice(
    project_dir: Callable[[], Path | None], options: Mapping[str, object]
) -> Iterator[None]:
    """Adds to the error about a refused location the project directory and what to do.

    `project_dir` returns None for a studio on another machine, whose error stays unchanged.
    """
    try:
        yield
    except InvalidArgumentError as error:
        if not any(one.rule in _RULES for one in error.violations):
            raise
        project = project_dir()
        if project is None:
            raise
        values = [options.get(name) for name in _OPTIONS]
        location = next((one for one in values if isinstance(one, str) and one), "")
        raise CommandFailed(f"{error}. {_advice(project, location)}", Exit.REFUSED) from None


def _advice(project: Path, location: str) -> str:
    folder = f"The project directory is {project}"
    try:
        here = Path(location).resolve()
        there = bool(location) and here.exists()
    except (OSError, ValueError, RuntimeError):
        there = False
    if not there:
        return f"{folder}: put it there, and give its path within it."
    if here.is_relative_to(project.resolve()):
        within = str(here.relative_to(project.resolve()))
        return f"{folder}: paths are within it, so give {shlex.quote(within)}."
    copy = shlex.join(["cp", *(["-r"] if here.is_dir() else []), str(here), f"{project}/"])
    return f"{folder}: copy it there ({copy}), and give {shlex.quote(here.name)}."
