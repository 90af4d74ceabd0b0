"""From a registered dataset to the rows to train on and the rows that are held out."""

import re
import string
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, load_dataset, load_from_disk

from ft.api import DatasetMetadata, DatasetType
from trainer import hub
from trainer.errors import DataError, first_line

SPLIT_SEED = 42
EVALUATION_SEED = 420
TEXT_COLUMN = "prediction"
"""The column with the text to train on."""
HELD_OUT_NAMES = ("eval", "test")
SHARE_DIGITS = 6
"""Shares travel as 32-bit floats; beyond this they are noise, which must not move a row."""

BUILDERS = {
    DatasetType.PROJECT_CSV: "csv",
    DatasetType.PROJECT_JSON: "json",
    DatasetType.PROJECT_JSONL: "json",
}


def load(dataset: DatasetMetadata, project: Path) -> DatasetDict:
    """All rows. A dataset without splits becomes `train`. Raises DataError if it cannot be read."""
    try:
        loaded = _read(dataset, project)
    except Exception as error:
        # The readers raise whatever the file format's library does.
        raise DataError(f"Dataset {dataset.name} cannot be read: {first_line(error)}") from error
    return DatasetDict({"train": loaded}) if isinstance(loaded, Dataset) else loaded


def _read(dataset: DatasetMetadata, project: Path) -> Any:
    if dataset.type == DatasetType.HUGGINGFACE:
        return load_dataset(dataset.huggingface_name, token=hub.token())
    path = project / dataset.location
    if not path.exists():
        raise FileNotFoundError(f"{dataset.location} does not exist in the project directory")
    if dataset.type == DatasetType.PROJECT:
        saved = any((path / name).is_file() for name in ("dataset_dict.json", "state.json"))
        return load_from_disk(str(path)) if saved else load_dataset(str(path))
    builder = BUILDERS[DatasetType(dataset.type)]
    # An empty field is an empty text, and "NA" is a text: nothing in a CSV file is missing.
    options = {"keep_default_na": False} if builder == "csv" else {}
    return load_dataset(builder, data_files=str(path), **options)


def split(splits: DatasetDict, fraction: float, train_share: float) -> tuple[Dataset, Dataset]:
    """The rows to train on and those held out: the same ones for the same shares, always.

    `fraction` of all rows is used at all; `train_share` of those is trained on, unless the dataset
    brings a split `eval` or `test` of its own. The held-out part is empty for a share of 1. Raises
    DataError if there is nothing to train on.
    """
    held_out = next((splits[name] for name in HELD_OUT_NAMES if name in splits), None)
    names = [name for name in splits if name not in HELD_OUT_NAMES]
    if not names:
        raise DataError(f"The dataset has no split to train on, only {', '.join(splits)}.")
    rows = sample(splits["train" if "train" in names else names[0]], fraction, SPLIT_SEED)
    if held_out is not None:
        train, rest = rows, sample(held_out, fraction, SPLIT_SEED)
    else:
        train, rest = _divide(rows, train_share, SPLIT_SEED)
    if len(train) == 0:
        raise DataError(
            f"No rows are left to train on: dataset_fraction {fraction:.6g} and "
            f"train_test_split {train_share:.6g} of {len(rows)} rows."
        )
    return train, rest


def sample(rows: Dataset, fraction: float, seed: int) -> Dataset:
    """A share of the rows, at least one of them where there are any."""
    if round(fraction, SHARE_DIGITS) >= 1 or len(rows) <= 1:
        return rows
    return _divide(rows, max(fraction, 1 / len(rows)), seed)[0]


def _divide(rows: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    count = int(len(rows) * round(share, SHARE_DIGITS) + 1e-6)
    if count >= len(rows):
        return rows, rows.select([])
    if count == 0:
        return rows.select([]), rows
    parts = rows.train_test_split(train_size=count, test_size=len(rows) - count, seed=seed)
    return parts["train"], parts["test"]


def check_columns(template: str, columns: Iterable[str], template_name: str) -> None:
    """Raises DataError naming what the template wants and the dataset does not have."""
    known = list(columns)
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise DataError(f"The prompt's {template_name} is malformed: {error}.") from error
    for name in names:
        # A template may reach into a nested column: {answers[text]}.
        if re.split(r"[.\[]", name, maxsplit=1)[0] not in known:
            raise DataError(
                f"The prompt's {template_name} wants column {name or '{}'}, "
                f"but the dataset has only {', '.join(known)}."
            )


def fill(template: str, row: dict[str, Any]) -> str:
    """The template with the row's values. A missing value is an empty text."""
    return template.format(**{k: "" if value is None else value for k, value in row.items()})


def texts(rows: Dataset, template: str, end_of_text: str) -> Dataset:
    """One column, TEXT_COLUMN: the filled template, ended so that the model learns to stop."""
    return rows.map(
        lambda row: {TEXT_COLUMN: fill(template, row) + end_of_text},
        remove_columns=rows.column_names,
    )
