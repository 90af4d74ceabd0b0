"""Folders with data files: the files of each split, as the library `datasets` assigns them."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datasets.data_files import DataFilesDict, EmptyDatasetError, get_data_patterns

from rows.cache.process_folder import process_folder
from rows.errors import DataError
from rows.files import formats
from rows.files.formats import FileKind, Format

_CONFIGS = ("configs:", "data_files:")
"""Metadata in a folder's README that changes how its files are read."""
_ONE_LIBRARY = {
    FileKind.CSV: "csv",
    FileKind.TSV: "csv",
    FileKind.JSON: "json",
    FileKind.JSONL: "json",
}
_ADDRESS = re.compile("::")
"""Text that makes the library read a path as an address."""
_PATTERN = re.compile(r"[*?\[]|::")
"""Text that makes it read a path as a pattern or as an address."""


def plain(folder: Path, *, saved: bool = False) -> Path:
    """A path to the folder that the library `datasets` does not take for a pattern, or, for a
    folder that it has `saved`, for an address.

    It is the folder's own path, or that of a copy made of links, which exists until this process
    ends. Raises DataError if there is no such path, and OSError.
    """
    real = folder.resolve()
    if not (_ADDRESS if saved else _PATTERN).search(str(real)):
        return folder
    _require_plain(process_folder())
    # Links to files: the library would resolve a link to the folder into the folder's own path.
    place = Path(tempfile.mkdtemp(dir=process_folder())) / "data"
    for at, folders, files in os.walk(real):
        within = place / os.path.relpath(at, real)
        within.mkdir()
        for name in files + [one for one in folders if Path(at, one).is_symlink()]:
            (within / name).symlink_to(Path(at, name))
    return place


def _require_plain(temporary: Path) -> None:
    if _PATTERN.search(str(temporary)):
        raise DataError(
            f"the path of temporary files, {temporary}, contains pattern characters: set TMPDIR "
            "to another folder"
        )


def splits(folder: Path) -> dict[str, list[tuple[Path, Format]]]:
    """The files of each split; empty if the library has to read the folder."""
    if _is_described(folder):
        return {}
    with _temporary_link(folder) as place:
        try:
            patterns = get_data_patterns(str(place))
            found = DataFilesDict.from_patterns(patterns, base_path=str(place))
        except (EmptyDatasetError, FileNotFoundError):
            return {}
        files = {
            str(name): [folder / Path(path).relative_to(place) for path in paths]
            for name, paths in found.items()
        }
    known = {
        name: [(path, form) for path in paths if (form := formats.of_name(path.name))]
        for name, paths in files.items()
    }
    if any(len(known[name]) < len(files[name]) for name in files):
        return {}
    kinds = {_ONE_LIBRARY.get(form.kind, form.kind) for of in known.values() for _, form in of}
    return known if len(kinds) == 1 else {}


@contextmanager
def _temporary_link(folder: Path) -> Iterator[Path]:
    """A path to the folder that the library does not take for a pattern: its own, or a link."""
    if not _PATTERN.search(str(folder)):
        yield folder
        return
    with tempfile.TemporaryDirectory() as place:
        _require_plain(Path(place))
        link = Path(place) / "data"
        link.symlink_to(folder.resolve())
        yield link


def _is_described(folder: Path) -> bool:
    """Tells whether a README or a settings file of the folder says how its files are read."""
    readme = folder / "README.md"
    if (folder / ".huggingface.yaml").exists():
        return True
    if not readme.is_file():
        return False
    begin = readme.read_text(encoding="utf-8", errors="replace")[:100_000]
    return begin.startswith("---") and any(word in begin for word in _CONFIGS)
