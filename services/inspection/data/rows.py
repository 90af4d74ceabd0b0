"""The rows of a job, and the places of these rows in the dataset."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from datasets import Dataset, DatasetDict

from ft.proto.inspection_pb2 import InspectJobRequest
from rows import selection, templates
from rows.chat import conversations
from rows.chat.conversations import Conversations
from rows.reading import LoadedDataset, RowNumbers

BATCH_ROWS = 1000
"""Rows that are in memory at a time."""


@dataclass(frozen=True)
class RowSelection:
    """Some rows of a dataset."""

    rows: Dataset
    numbers: Dataset
    """One column `n`: each row's number in its split, counted from 0."""
    places: RowNumbers

    def __len__(self) -> int:
        return len(self.rows)

    def place(self, row: int) -> str:
        """The place of a selected row in the dataset, such as `line 3`."""
        return self.places.name(self.numbers[row]["n"])

    def batches(self) -> Iterator[list[dict[str, Any]]]:
        """All rows in order, some at a time."""
        for begin in range(0, len(self.rows), BATCH_ROWS):
            yield selection.batch(self.rows, begin, begin + BATCH_ROWS)


@dataclass(frozen=True)
class JobRows:
    """The rows of a job: those that it works on, and those that are held out from training."""

    used: RowSelection
    held_out: RowSelection
    total: int
    """Rows of the whole dataset."""
    unanswered: int = 0
    """Held-out conversations that an evaluation leaves out: they do not end with an answer that is
    to be learned."""


def select_rows(loaded: LoadedDataset, request: InspectJobRequest) -> JobRows:
    """Selects the same rows as the job does. Raises EmptyError if there are none to work on."""
    splits = loaded.splits
    fractions = (request.dataset_fraction, request.train_test_split)
    # The choice depends on the number of rows alone, so numbers are chosen as their rows are.
    numbers = DatasetDict(
        {name: Dataset.from_dict({"n": list(range(len(rows)))}) for name, rows in splits.items()}
    )
    train_name, held_out_name = selection.names(splits)
    train, held_out = (
        RowSelection(rows, chosen, loaded.places.get(name, RowNumbers()))
        for rows, chosen, name in zip(
            selection.split(splits, *fractions),
            selection.split(numbers, *fractions),
            (train_name, held_out_name or train_name),
            strict=True,
        )
    )
    total = sum(map(len, splits.values()))
    if request.kind != "evaluation":
        return JobRows(train, held_out, total)
    prompt = request.prompt
    names = held_out.rows.column_names
    columns = templates.used_columns(names, prompt.input_template, prompt.completion_template)
    conversation = asked_column(request, held_out.rows)
    fraction = request.eval_dataset_fraction
    scored = selection.scored(held_out.rows, [train.rows], columns, fraction, conversation)
    rows, kept = (part.select(scored.positions) for part in (held_out.rows, held_out.numbers))
    used = RowSelection(rows, kept, held_out.places)
    return JobRows(used, held_out, total, scored.unanswered)


def asked_column(request: InspectJobRequest, rows: Dataset) -> Conversations | None:
    """The conversations that an evaluation asks about; None if it asks with texts. Raises
    DataError if the prompt expects something else than their last answers."""
    templates = (request.prompt.input_template, request.prompt.completion_template)
    return conversations.asked_column(*templates, rows, conversations.roles_of(request.dataset))
