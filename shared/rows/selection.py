"""Selection of rows: to train on, to hold out, and to score."""

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
"""Shares are sent as 32-bit floats; further digits are noise and must not change the selection."""
_BATCH_ROWS = 1000
"""Number of rows that are read at a time."""


def split(splits: DatasetDict, fraction: float, train_share: float) -> tuple[Dataset, Dataset]:
    """Divides the rows into those to train on and those held out; always the same ones for the same
    shares.

    `fraction` is the share of all rows that is used. `train_share` is the share of those to train
    on; it has no effect if the dataset has a split `eval` or `test`. The held-out part is empty for
    a share of 1. Raises EmptyError if no rows are left to train on.
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
    """The split to train on, and the split that the dataset holds out itself, if any. Raises
    EmptyError if there is none to train on."""
    held_out = next((name for name in HELD_OUT_NAMES if name in splits), None)
    others = [name for name in splits if name not in HELD_OUT_NAMES]
    if not others:
        raise EmptyError(f"The dataset has no split to train on, only {', '.join(splits)}.")
    return "train" if "train" in others else others[0], held_out


@dataclass(frozen=True)
class ScoredRows:
    """The held-out rows that an evaluation scores."""

    positions: list[int]
    """Indexes among the held-out rows, from 0."""
    trained_on: int
    """Number of rows that are left out because a row with the same text was trained on."""
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
    """A share of the held-out rows, without rows that were trained on.

    Rows are the same if they have the same text in all `columns`, those that the prompt uses; in
    all of their columns if it uses none. For conversations only their column counts: an answer that
    was trained on after the same messages, also within a longer conversation, is not scored. Raises
    EmptyError if there are no rows to score.
    """
    if len(held_out) == 0:
        raise EmptyError(
            "No rows are held out: the dataset has no split `test` or `eval`, and the adapter "
            "was trained on every row that it used."
        )
    compared = columns or held_out.column_names

    def texts(row: dict[str, Any]) -> Sequence[Hashable]:
        # Blanks around a text do not make rows different.
        return [tuple(values.as_text(row.get(name)).strip() for name in compared)]

    content = conversation.answers if conversation else texts
    answered = _answered(held_out, conversation) if conversation else list(range(len(held_out)))
    unseen = _unseen(held_out.select(answered), trained, content)
    unanswered, seen = len(held_out) - len(answered), len(answered) - len(unseen)
    if not unseen:
        why = "has the same text as a row that was trained on"
        if unanswered:
            ends = "does not end with an assistant's answer, or that answer has weight 0"
            why = f"{ends}, or {why}"
        raise EmptyError(
            f"No rows are left to score: each of the {len(held_out)} held-out rows {why}."
        )
    positions = [answered[position] for position in unseen]
    chosen = sample(Dataset.from_dict({"position": positions}), fraction, EVALUATION_SEED)
    return ScoredRows(list(chosen["position"]), seen, unanswered)


def _answered(rows: Dataset, conversation: Conversations) -> list[int]:
    """Positions of the rows whose conversations end with an answer.

    Broken rows are among them: an error is raised with their number when they are used.
    """
    found = []
    for position, row in enumerate(_rows(rows.select_columns([conversation.column]))):
        try:
            is_answered = conversation.is_answered(row)
        except DataError:
            is_answered = True
        if is_answered:
            found.append(position)
    return found


def _unseen(
    held_out: Dataset,
    trained: Iterable[Dataset],
    content: Callable[[dict[str, Any]], Sequence[Hashable]],
) -> list[int]:
    """Positions of the rows whose content is not that of a trained row.

    `content` returns what a model learns from a row; the last item is what the row is scored for.
    """
    # A broken row has no content, so it is never seen.
    texts = [(content(row) or (None,))[-1] for row in _rows(held_out)]
    # The smaller part is kept in memory; the larger one is read once.
    wanted, seen = set(texts) - {None}, set[Hashable]()
    for rows in trained:
        for row in _rows(rows):
            seen |= wanted.intersection(content(row))
    return [position for position, text in enumerate(texts) if text not in seen]


def _rows(rows: Dataset) -> Iterator[dict[str, Any]]:
    for begin in range(0, len(rows), _BATCH_ROWS):
        yield from batch(rows, begin, begin + _BATCH_ROWS)


def batch(rows: Dataset, begin: int, end: int) -> list[dict[str, Any]]:
    """Rows `begin` to `end` in order, equal to those that are read one by one."""
    columns = rows[begin : min(end, len(rows))]
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def sample(rows: Dataset, fraction: float, seed: int) -> Dataset:
    """A share of the rows, at least one row unless there are none."""
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
