"""From a registered dataset to all of its rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import (
    Dataset,
    DatasetDict,
    concatenate_datasets,
    disable_caching,
    load_dataset,
    load_from_disk,
)

from ft.api import DatasetMetadata, DatasetType
from rows import folders
from rows.cache import cached_rows
from rows.cache.arrow_file import ArrowRows
from rows.cell_types import TEXT, dataset_of
from rows.errors import DataError, first_line
from rows.files import formats
from rows.files.formats import Format
from rows.files.reader import VERSION

SAVED_FILES = ("dataset_dict.json", "state.json")
"""What marks a directory that `datasets` saved."""


@dataclass(frozen=True)
class RowsSource:
    """RowsSource of the rows."""

    reader: int | None = None
    """The version of the studio's reader; None if the library `datasets` has read them."""
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each file that the studio's reader has read, by its name within the dataset."""
    notices: list[str] = field(default_factory=list)
    """Notices about how the files were read."""


@dataclass(frozen=True)
class RowNumbers:
    """RowNumbers of the rows of a split."""

    parts: Sequence[tuple[str, str, Any]] = ()
    """Of each file its name, what its numbers count, and the number of each row."""

    def name(self, row: int) -> str:
        """`line 7` of a file of lines, `item 7` of a list in JSON, else `row 7`; with the file's
        name if there are several. ArrowRows are counted from 0."""
        for name, word, numbers in self.parts:
            if row < len(numbers):
                where = f"{name} " if len(self.parts) > 1 else ""
                return f"{where}{word} {numbers[row].as_py()}"
            row -= len(numbers)
        return f"row {row + 1}"


@dataclass(frozen=True)
class LoadedDataset:
    """All rows of a dataset."""

    splits: DatasetDict
    source: RowsSource = RowsSource()
    places: dict[str, RowNumbers] = field(default_factory=dict)
    """By the names of splits; those that `datasets` has read have none."""


def load(dataset: DatasetMetadata, project: Path, token: str | None) -> DatasetDict:
    """The splits of `read`."""
    return read(dataset, project, token).splits


def read(dataset: DatasetMetadata, project: Path, token: str | None) -> LoadedDataset:
    """All rows. A dataset without splits becomes `train`. Raises DataError if it cannot be read.

    `token` is shown to the hub; None asks without one.
    """
    # What the library keeps of mapped rows would stay beside them.
    disable_caching()
    try:
        return _read(dataset, project, token)
    except Exception as error:
        # The readers raise whatever the file format's library does, and `datasets` says no more
        # than that it did: what was wrong is in the error behind its own.
        cause = error if isinstance(error, DataError) else error.__cause__ or error
        at = f" at commit {dataset.commit} of the hub" if dataset.commit else ""
        raise DataError(
            f"Dataset {dataset.name} cannot be read{at}: {first_line(cause)}"
        ) from error


def _read(dataset: DatasetMetadata, project: Path, token: str | None) -> LoadedDataset:
    if dataset.type == DatasetType.HUGGINGFACE:
        # At the commit that the record names, else the newest.
        commit = dataset.commit or None
        return _of_library(load_dataset(dataset.huggingface_name, revision=commit, token=token))
    path = project / dataset.location
    if not path.exists():
        raise FileNotFoundError(f"{dataset.location} does not exist in the project directory")
    form = formats.of(dataset.type, dataset.location)
    if form is not None and not path.is_dir():
        if not path.is_file():  # a pipe, for one, would never begin to be read
            raise DataError(f"{dataset.location} is not a regular file")
        return _of_files({"train": [(path, form)]}, project, dataset.location)
    if any((path / name).is_file() for name in SAVED_FILES):
        return _of_library(load_from_disk(str(folders.plain(path, saved=True))))
    if found := folders.splits(path):
        return _of_files(found, project, dataset.location)
    place = folders.plain(path)
    # What the library keeps of files under a path that nobody uses again goes with that path.
    kept = None if place == path else str(place.parent / "kept")
    return _of_library(load_dataset(str(place), cache_dir=kept), _NOT_OURS)


_NOT_OURS = (
    "The folder is read by the library `datasets`, because of its README or of files other than "
    ".csv, .tsv, .json, .jsonl and .parquet: the library may take texts such as 00501 or "
    "2024-01-05 for numbers and times, and change how they are written."
)


def _of_library(loaded: Any, *notices: str) -> LoadedDataset:
    splits = DatasetDict({"train": loaded}) if isinstance(loaded, Dataset) else loaded
    return LoadedDataset(splits, RowsSource(notices=list(notices)))


def _of_files(
    splits: dict[str, list[tuple[Path, Format]]], project: Path, location: str
) -> LoadedDataset:
    found: dict[str, list[tuple[str, ArrowRows]]] = {}
    files: dict[str, str] = {}
    notices: list[str] = []
    for split, paths in splits.items():
        found[split] = []
        for path, form in paths:
            name = _name(path, project / location)
            at = location if path == project / location else str(Path(location) / name)
            try:
                rows, digest = cached_rows.of_file(path, form, project, at)
            except DataError as error:
                raise DataError(f"{at}: {error}") from error
            found[split].append((name, rows))
            files[name] = digest
            notices += [f"{at}: {said}" for said in rows.notices]
    joined = DatasetDict(_aligned({name: [one for _, one in of] for name, of in found.items()}))
    places = {
        split: RowNumbers([(name, rows.word, rows.places) for name, rows in of])
        for split, of in found.items()
    }
    return LoadedDataset(joined, RowsSource(VERSION, files, notices), places)


def _name(path: Path, root: Path) -> str:
    """The name of a file within a dataset: never a path of the machine."""
    return str(path.relative_to(root)) if root in path.parents else path.name


def _aligned(splits: dict[str, list[ArrowRows]]) -> dict[str, Dataset]:
    """The splits with the same columns: objects in JSON may lack some in all of a file, and have
    nothing but texts in another."""
    types: dict[str, Any] = {}
    for rows in (one.data for of in splits.values() for one in of):
        types |= {n: one for n, one in rows.features.items() if n not in types or one != TEXT}
    return {
        split: concatenate_datasets([_with_columns(rows, types) for rows in of])
        for split, of in splits.items()
    }


def _with_columns(rows: ArrowRows, types: dict[str, Any]) -> Dataset:
    data = rows.data
    for name, wanted in types.items():
        if name not in data.column_names:
            if rows.fixed:
                raise DataError(f"its files differ in their columns: one has no {name}")
            data = data.add_column(name, [None] * len(data), feature=wanted)
        elif data.features[name] != wanted:
            column = dataset_of(name, data[name])
            data = concatenate_datasets([data.remove_columns(name), column], axis=1)
    return data if data.column_names == list(types) else data.select_columns(list(types))
