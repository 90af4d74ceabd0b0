"""Folder of cached rows: one entry for each file content, named by its hash.

It holds users' rows, so only its owner may read it. `references` records which location has which
entry; an entry that no location refers to is removed. A process that has mapped an entry can go on
using it.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

FOLDER = ".fts-rows"
"""Name of the folder in the project directory."""
TEMPORARY = ".writing-"
"""Beginning of the names of files that are being written."""
ABANDONED_SECONDS = 24 * 3600.0
"""Age at which a partial file is considered left by a process that was killed."""
_REFERENCES = "references"


class CacheFolder:
    """The folder of one project."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self.folder = project / FOLDER
        self._references = self.folder / _REFERENCES

    def prepare(self) -> None:
        """Creates the folder, readable by its owner only. Raises OSError."""
        if self.folder.is_symlink():
            raise PermissionError(f"{self.folder} is a link")
        for folder in (self.folder, self._references):
            folder.mkdir(mode=0o700, exist_ok=True)
        if self.folder.stat().st_mode & 0o077:
            self.folder.chmod(0o700)
        # Keeps users' rows out of the project's version history.
        ignore = self.folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")

    def path(self, name: str) -> Path:
        """Path of the entry of that name; it need not exist."""
        return self.folder / name

    def refer(self, location: str, name: str) -> None:
        """Records that the file at a location has the content of that entry. Raises OSError."""
        hashed = hashlib.sha256(os.path.normpath(location).encode(errors="surrogatepass"))
        file = self._references / f"{hashed.hexdigest()}.json"
        before = _entry_of(file)
        if before == name:
            return
        temporary = self._references / f"{TEMPORARY}{os.getpid()}-{file.name}"
        temporary.write_text(json.dumps({"location": location, "entry": name}))
        temporary.replace(file)
        if before:
            self._remove_unreferenced({before})

    def keep_only(self, locations: Iterable[str]) -> None:
        """Removes cached rows of files at other locations, and of files that no longer exist.

        `locations` are those of all datasets: files, or directories that contain files.
        """
        known = [os.path.normpath(one) for one in locations if one]
        for file in self._references.glob("*.json"):
            location = _read(file).get("location", "")
            path = os.path.normpath(location)
            is_known = any(one in (path, ".") or path.startswith(f"{one}{os.sep}") for one in known)
            if not (is_known and (self._project / location).is_file()):
                file.unlink(missing_ok=True)
        self._remove_unreferenced({path.name for path in self.folder.glob("*.arrow")})
        self.remove_abandoned()

    def _remove_unreferenced(self, names: set[str]) -> None:
        used = {_entry_of(file) for file in self._references.glob("*.json")}
        for name in names - used:
            with suppress(OSError):
                self.path(name).unlink()

    def remove_abandoned(self) -> None:
        """Removes partial files of processes that were killed while they wrote."""
        for file in (*self.folder.glob(f"{TEMPORARY}*"), *self._references.glob(f"{TEMPORARY}*")):
            with suppress(OSError):
                if time.time() - file.stat().st_mtime > ABANDONED_SECONDS:
                    file.unlink()


def _entry_of(file: Path) -> str:
    return str(_read(file).get("entry", ""))


def _read(file: Path) -> dict[str, str]:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
