"""Paths in requests: relative to the project directory, and confined to it."""

import os
from pathlib import Path

from chassis.config import Settings
from chassis.rpc import rules
from chassis.rpc.errors import FailedPrecondition, Violations


def require_writable(project: Path) -> None:
    """Raises FailedPrecondition if jobs could not write their output into the project directory."""
    if fault := _fault_of_writing(project):
        raise FailedPrecondition(fault, reason="PROJECT_NOT_WRITABLE", rule=rules.WRITABLE.id)


def _fault_of_writing(path: Path) -> str:
    """Returns the reason why a directory is not writable; empty if it is writable or absent."""
    try:
        denied = path.exists() and not os.access(path, os.W_OK)
    except OSError:
        return ""
    if not denied:
        return ""
    return (
        f"{path} cannot be written to, and the job's output goes into it: is it mounted "
        "read-only, or does it belong to someone else?"
    )


class ProjectPaths:
    """Resolves a `location` to a real path within the project directory or an extra root."""

    def __init__(self, settings: Settings) -> None:
        self.project = settings.project
        self._roots = (self.project, *settings.extra_roots)

    def confined(self, field: str, location: str, found: Violations) -> Path | None:
        """Returns the real path, symlinks resolved; None, with a violation, if it lies outside.

        A location need not exist.
        """
        try:
            path = (self.project / location).resolve()
            path.exists()  # raises for a name that is longer than a file system takes
        except (OSError, ValueError, RuntimeError) as error:
            # RuntimeError: symlinks that lead to each other.
            reason = error.strerror if isinstance(error, OSError) else error
            found.add(field, rules.IS_PATH, f"{location!r} is not a path: {reason}")
            return None
        if any(path.is_relative_to(root.resolve()) for root in self._roots):
            return path
        found.add(field, rules.CONFINED, f"{location!r} lies outside the project directory")
        return None

    def writable(self, field: str, location: str, found: Violations) -> None:
        """Adds a violation if a directory exists and is not writable."""
        fault = _fault_of_writing(self.project / location)
        found.check(field, rules.WRITABLE, not fault, fault)

    def file(self, field: str, location: str, found: Violations) -> Path | None:
        """Returns the path of an existing regular file; otherwise None, with a violation."""
        path = self.confined(field, location, found)
        if path is not None and not path.is_file():
            description = f"{location!r} is not an existing file in the project directory"
            found.add(field, rules.FILE_EXISTS, description)
            return None
        return path

    def directory(self, field: str, location: str, found: Violations) -> Path | None:
        """Returns the path of an existing directory; otherwise None, with a violation."""
        path = self.confined(field, location, found)
        if path is not None and not path.is_dir():
            description = f"{location!r} is not an existing directory in the project directory"
            found.add(field, rules.DIRECTORY_EXISTS, description)
            return None
        return path
