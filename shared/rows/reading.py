"""From a registered dataset to all of its rows."""

from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, load_dataset, load_from_disk

from ft.api import DatasetMetadata, DatasetType
from rows.errors import DataError, first_line

SAVED_FILES = ("dataset_dict.json", "state.json")
"""What marks a directory that `datasets` saved."""
BUILDERS = {
    DatasetType.PROJECT_CSV: "csv",
    DatasetType.PROJECT_JSON: "json",
    DatasetType.PROJECT_JSONL: "json",
}


def load(dataset: DatasetMetadata, project: Path, token: str | None) -> DatasetDict:
    """All rows. A dataset without splits becomes `train`. Raises DataError if it cannot be read.

    `token` is shown to the hub; None asks without one.
    """
    try:
        loaded = _read(dataset, project, token)
    except Exception as error:
        # The readers raise whatever the file format's library does, and `datasets` says no more
        # than that it did: what was wrong is in the error behind its own.
        why = first_line(error.__cause__ or error)
        at = f" at commit {dataset.commit} of the hub" if dataset.commit else ""
        raise DataError(f"Dataset {dataset.name} cannot be read{at}: {why}") from error
    return DatasetDict({"train": loaded}) if isinstance(loaded, Dataset) else loaded


def _read(dataset: DatasetMetadata, project: Path, token: str | None) -> Any:
    if dataset.type == DatasetType.HUGGINGFACE:
        # At the commit that the record names, else the newest.
        return load_dataset(dataset.huggingface_name, revision=dataset.commit or None, token=token)
    path = project / dataset.location
    if not path.exists():
        raise FileNotFoundError(f"{dataset.location} does not exist in the project directory")
    if dataset.type == DatasetType.PROJECT:
        saved = any((path / name).is_file() for name in SAVED_FILES)
        return load_from_disk(str(path)) if saved else load_dataset(str(path))
    builder = BUILDERS[DatasetType(dataset.type)]
    # An empty field is an empty text, and "NA" is a text: nothing in a CSV file is missing.
    options = {"keep_default_na": False} if builder == "csv" else {}
    return load_dataset(builder, data_files=str(path), **options)
