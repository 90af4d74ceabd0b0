"""Which rows are trained on, which are held out, and which of those are scored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from datasets import Dataset, DatasetDict

from rows.errors import EmptyError

SPLIT_SEED = 42
EVALUATION_SEED = 420
HELD_OUT_NAMES = ("eval", "test")
SHARE_DIGITS = 6
"""Shares travel as 32-bit floats; beyond this they are noise, which must not move a row."""
_BATCH_ROWS = 1000
"""Rows that are compared at a time."""


def split(splits: DatasetDict, fraction: float, train_share: float) -> tuple[Dataset, Dataset]:
    """The rows to train on and those held out: the same ones for the same shares, always.

    `fraction` of all rows is used at all; `train_share` of those is trained on, unless the dataset
    brings a split `eval` or `test` of its own. The held-out part is empty for a share of 1. Raises
    EmptyError if there is nothing to train on.
    """
    train_name, held_out_name = names(splits)
    rows = sample(splits[train_name], fraction, SPLIT_SEED)
    if held_out_name is not None:
        train, rest = rows, sample(splits[held_out_name], fraction, SPLIT_SEED)
    else:
        train, rest = _divide(rows, train_share, SPLIT_SEED)
    if len(train) == 0:
        raise EmptyError(
            f"No rows are left to train on: dataset_fraction {fraction:.6g} and "
            f"train_test_split {train_share:.6g} of {len(rows)} rows."
        )
    return train, rest


def names(splits: DatasetDict) -> tuple[str, str | None]:
    """The split to train on, and the one that the dataset itself holds out if it has one.

    Raises EmptyError if there is none to train on.
    """
    held_out = next((name for name in HELD_OUT_NAMES if name in splits), None)
    others = [name for name in splits if name not in HELD_OUT_NAMES]
    if not others:
        raise EmptyError(f"The dataset has no split to train on, only {', '.join(splits)}.")
    return "train" if "train" in others else others[0], held_out


@dataclass(frozen=True)
class Scored:
    """Which of the held-out rows an evaluation scores."""

    positions: list[int]
    """Among the held-out rows, counted from 0."""
    trained_on: int
    """How many are left out because a row was trained on that says the same."""


def scored(
    held_out: Dataset, trained: Iterable[Dataset], columns: Sequence[str], fraction: float
) -> Scored:
    """A share of the held-out rows, none of them a row that was trained on.

    Rows say the same if they have the same text in all `columns`, those that the prompt uses; in
    all of their columns if it uses none. Raises EmptyError if there are no rows to score.
    """
    if len(held_out) == 0:
        raise EmptyError(
            "No rows are held out: the dataset has no split `test` or `eval`, and the adapter "
            "was trained on every row that it used."
        )
    unseen = _unseen(held_out, trained, columns or held_out.column_names)
    if not unseen:
        raise EmptyError(
            f"No rows are left to score: each of the {len(held_out)} held-out rows says the same "
            "as one that was trained on."
        )
    chosen = sample(Dataset.from_dict({"position": unseen}), fraction, EVALUATION_SEED)
    return Scored(list(chosen["position"]), len(held_out) - len(unseen))


def _unseen(held_out: Dataset, trained: Iterable[Dataset], columns: Sequence[str]) -> list[int]:
    """Positions of the rows that say something else than every trained one."""
    texts = list(_texts(held_out, columns))
    # The smaller part is kept, the larger one read through.
    wanted, seen = set(texts), set()
    for rows in trained:
        seen |= {text for text in _texts(rows, columns) if text in wanted}
    return [position for position, text in enumerate(texts) if text not in seen]


def _texts(rows: Dataset, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for begin in range(0, len(rows), _BATCH_ROWS):
        batch = rows.select(range(begin, min(begin + _BATCH_ROWS, len(rows)))).to_list()
        yield from (tuple(_text(row.get(name)) for name in columns) for row in batch)


def _text(value: Any) -> str:
    # As a prompt has it; blanks around it are all that a row may differ in and be the same.
    return "" if value is None else str(value).strip()


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
