"""Folders with data files: which of them are rows of which split, as `datasets` has it."""

from pathlib import Path

from datasets.data_files import DataFilesDict, EmptyDatasetError, get_data_patterns

from rows.files import formats
from rows.files.formats import Format, Kind

_CONFIGS = ("configs:", "data_files:")
"""What a folder's README says, at its beginning, of files that are other than their names tell."""
_ONE_LIBRARY = {Kind.CSV: "csv", Kind.TSV: "csv", Kind.JSON: "json", Kind.JSONL: "json"}


def splits(folder: Path) -> dict[str, list[tuple[Path, Format]]]:
    """The files of each split; none if something in the folder is the library's to read."""
    if _is_described(folder):
        return {}
    try:
        patterns = get_data_patterns(str(folder))
        found = DataFilesDict.from_patterns(patterns, base_path=str(folder))
    except (EmptyDatasetError, FileNotFoundError):
        return {}
    files = {str(name): [_with_format(path) for path in paths] for name, paths in found.items()}
    known = {name: [(path, form) for path, form in of if form] for name, of in files.items()}
    if any(len(known[name]) < len(files[name]) for name in files):
        return {}
    kinds = {_ONE_LIBRARY.get(form.kind, form.kind) for of in known.values() for _, form in of}
    return known if len(kinds) == 1 else {}


def _with_format(path: str) -> tuple[Path, Format | None]:
    return Path(path), formats.of_name(path)


def _is_described(folder: Path) -> bool:
    readme = folder / "README.md"
    if (folder / ".huggingface.yaml").exists():
        return True
    if not readme.is_file():
        return False
    begin = readme.read_text(encoding="utf-8", errors="replace")[:100_000]
    return begin.startswith("---") and any(word in begin for word in _CONFIGS)
