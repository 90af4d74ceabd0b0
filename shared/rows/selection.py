"""Which rows are trained on, which are held out, and which of those are scored."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from datasets import Dataset, DatasetDict

from rows import values
from rows.chat.conversations import Conversations
from rows.errors import DataError, EmptyError

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
            f"train_test_split {train_share:.6g} of {len(splits[train_name])} rows. Give a larger "
            "share of them."
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
class ScoredRows:
    """Which of the held-out rows an evaluation scores."""

    positions: list[int]
    """Among the held-out rows, counted from 0."""
    trained_on: int
    """How many are left out because a row was trained on that says the same."""
    unanswered: int = 0
    """Number of conversations that are left out because they do not end with an answer that can
    be learned."""


def scored(
    held_out: Dataset,
    trained: Iterable[Dataset],
    columns: Sequence[str],
    fraction: float,
    conversation: Conversations | None = None,
) -> ScoredRows:
    """A share of the held-out rows, none of them a row that was trained on.

    Rows say the same if they have the same text in all `columns`, those that the prompt uses; in
    all of their columns if it uses none. A column of conversations, if one is named, counts alone:
    no answer is scored that was trained on after the same words, within a longer one either. Raises
    EmptyError if there are no rows to score.
    """
    if len(held_out) == 0:
        raise EmptyError(
            "No rows are held out: the dataset has no split `test` or `eval`, and the adapter "
            "was trained on every row that it used."
        )
    answered = _answered(held_out, conversation) if conversation else list(range(len(held_out)))
    says = _says(columns or held_out.column_names, conversation)
    unseen = _unseen(held_out.select(answered), trained, says)
    unanswered, seen = len(held_out) - len(answered), len(answered) - len(unseen)
    if not unseen:
        raise EmptyError(_nothing_left(len(held_out), unanswered))
    positions = [answered[position] for position in unseen]
    chosen = sample(Dataset.from_dict({"position": positions}), fraction, EVALUATION_SEED)
    return ScoredRows(list(chosen["position"]), seen, unanswered)


_Says = Callable[[dict[str, Any]], Sequence[Hashable]]
"""What there is to learn from a row; the last is what it is scored for."""


def _says(columns: Sequence[str], conversation: Conversations | None) -> _Says:
    if conversation:
        return conversation.answers
    return lambda row: [tuple(_text(row.get(name)) for name in columns)]


def _answered(rows: Dataset, conversation: Conversations) -> list[int]:
    """Positions of the rows whose conversations end with an answer, and of those that are broken:
    whoever works with the row says how."""
    rows = rows.select_columns([conversation.column])
    return [position for position, row in enumerate(_rows(rows)) if _is_answered(row, conversation)]


def _is_answered(row: dict[str, Any], conversation: Conversations) -> bool:
    try:
        return conversation.is_answered(row)
    except DataError:
        return True


def _nothing_left(held_out: int, unanswered: int) -> str:
    same = "says the same as one that was trained on"
    ends = "does not end with an assistant's answer to something, or that has the weight 0"
    why = f"{ends}, or {same}" if unanswered else same
    return f"No rows are left to score: each of the {held_out} held-out rows {why}."


def _unseen(held_out: Dataset, trained: Iterable[Dataset], says: _Says) -> list[int]:
    """Positions of the rows that say something else than every trained one."""
    # Of a row that is broken there is nothing that could have been seen.
    texts = [(says(row) or (None,))[-1] for row in _rows(held_out)]
    # The smaller part is kept, the larger one read through.
    wanted, seen = set(texts) - {None}, set[Hashable]()
    for rows in trained:
        for row in _rows(rows):
            seen |= wanted.intersection(says(row))
    return [position for position, text in enumerate(texts) if text not in seen]


def _rows(rows: Dataset) -> Iterator[dict[str, Any]]:
    for begin in range(0, len(rows), _BATCH_ROWS):
        yield from batch(rows, begin, begin + _BATCH_ROWS)


def batch(rows: Dataset, begin: int, end: int) -> list[dict[str, Any]]:
    """Some rows in order, as they are when asked for one by one."""
    columns = rows[begin : min(end, len(rows))]
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _text(value: Any) -> str:
    # As a prompt has it; blanks around it are all that a row may differ in and be the same.
    return values.as_text(value).strip()


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
