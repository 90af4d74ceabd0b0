"""Reads all rows of a registered dataset."""

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
"""Files that mark a directory that `datasets` has saved."""


@dataclass(frozen=True)
class RowsSource:
    """The reader and the files that rows were read from."""

    reader: int | None = None
    """The version of the studio's reader; None if the library `datasets` has read them."""
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each file that the studio's reader has read, by its name within the dataset."""
    notices: list[str] = field(default_factory=list)
    """Notices about how the files were read."""


@dataclass(frozen=True)
class RowNumbers:
    """Numbers of the rows of a split in their files."""

    parts: Sequence[tuple[str, str, Any]] = ()
    """For each file its name, the unit of its numbers, and the number of each row."""

    def name(self, row: int) -> str:
        """`line 7` in a file of lines, `item 7` in a list of JSON, else `row 7`; with the file's
        name if there are several files. `row` counts from 0."""
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
    """By the names of splits; empty if `datasets` has read the rows."""


def load(dataset: DatasetMetadata, project: Path, token: str | None) -> DatasetDict:
    """The splits of `read`."""
    return read(dataset, project, token).splits


def read(dataset: DatasetMetadata, project: Path, token: str | None) -> LoadedDataset:
    """Reads all rows. A dataset without splits becomes `train`. Raises DataError if it cannot be
    read.

    `token` authenticates to the hub; None reads without authentication.
    """
    # The library would store mapped rows next to the data.
    disable_caching()
    try:
        return _read(dataset, project, token)
    except Exception as error:
        # The readers raise errors of any type. Those of `datasets` do not name the fault; it is in
        # the error that caused them.
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
        if not path.is_file():  # A pipe, for example, would block.
            raise DataError(f"{dataset.location} is not a regular file")
        return _of_files({"train": [(path, form)]}, project, dataset.location)
    if any((path / name).is_file() for name in SAVED_FILES):
        return _of_library(load_from_disk(str(folders.plain(path, saved=True))))
    if found := folders.splits(path):
        return _of_files(found, project, dataset.location)
    place = folders.plain(path)
    # The library's cache for a temporary path is removed together with that path.
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
    root = project / location
    found: dict[str, list[tuple[str, ArrowRows]]] = {}
    files: dict[str, str] = {}
    notices: list[str] = []
    for split, paths in splits.items():
        found[split] = []
        for path, form in paths:
            # A name within the dataset: never a path of the machine.
            inside = root in path.parents
            name = str(path.relative_to(root)) if inside else path.name
            at = location if path == root else str(Path(location) / name)
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


def _aligned(splits: dict[str, list[ArrowRows]]) -> dict[str, Dataset]:
    """The splits with the same columns and types.

    All objects of a JSON file may lack a key that those of another file have, or have texts only.
    """
    types: dict[str, Any] = {}
    for data in (one.data for of in splits.values() for one in of):
        types |= {n: one for n, one in data.features.items() if n not in types or one != TEXT}
    aligned = {}
    for split, of in splits.items():
        parts = []
        for rows in of:
            data = rows.data
            for name, wanted in types.items():
                if name not in data.column_names:
                    if rows.fixed:
                        raise DataError(f"its files differ in their columns: one has no {name}")
                    data = data.add_column(name, [None] * len(data), feature=wanted)
                elif data.features[name] != wanted:
                    column = dataset_of(name, data[name])
                    data = concatenate_datasets([data.remove_columns(name), column], axis=1)
            if data.column_names != list(types):
                data = data.select_columns(list(types))
            parts.append(data)
        aligned[split] = concatenate_datasets(parts)
    return aligned
