"""Rows as the library has prepared them: tokens, and labels of those that are learned."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from datasets import Dataset

from rows.errors import DataError
from trainer.model import vocabulary
from trainer.model.hardware import Notify

BATCH_ROWS = 1000
UNLEARNED = -100
"""The label of a token that the loss leaves out."""


def check(trainer: Any, rows: int, notify: Notify) -> None:
    """Takes rows without anything to learn out of the trainer's, and tells how many; tells of rows
    that were cut off. `rows` is how many were handed to the library.

    Raises DataError if no row is left, ModelError for tokens that the model has no embedding for.
    """
    config = trainer.args
    kept = _learnable(trainer.train_dataset, trainer)
    if len(kept) == 0:
        raise DataError(f"No row has anything to learn: {_why(config)} in all {rows} rows.")
    before = len(trainer.train_dataset) if config.packing else rows
    if left_out := before - len(kept):
        what = "packs of training rows" if config.packing else "training rows"
        notify(
            f"{left_out} of {before} {what} are left out, since they have nothing to learn: "
            f"{_why(config)}."
        )
    if config.max_length and not config.packing:
        cut = sum(len(ids) >= config.max_length for ids in kept["input_ids"])
        if cut:
            notify(
                f"{cut} of {rows} training rows reach max_length {config.max_length} and may be "
                "cut off at their end."
            )
    trainer.train_dataset = kept
    if trainer.eval_dataset is not None:
        kept = _learnable(trainer.eval_dataset, trainer)
        if left_out := len(trainer.eval_dataset) - len(kept):
            notify(
                f"{left_out} of {len(trainer.eval_dataset)} held-out rows have nothing that a loss "
                "could be made of, and are left out of evaluations during the training."
            )
        trainer.eval_dataset = kept


def _why(config: Any) -> str:
    longest = config.max_length
    return f"max_length {longest} cuts off all that is trained on" if longest else _NOTHING


_NOTHING = "none of their tokens is trained on"


def _learnable(prepared: Dataset, trainer: Any) -> Dataset:
    positions = []
    for begin, batch in enumerate(_batches(prepared)):
        for number, labels in enumerate(batch["labels"]):
            lengths = batch["seq_lengths"][number] if "seq_lengths" in batch else ()
            if _has_label(np.asarray(labels), lengths):
                positions.append(begin * BATCH_ROWS + number)
        for ids in batch["input_ids"]:
            vocabulary.require(np.asarray(ids), trainer.model, trainer.processing_class)
    return prepared if len(positions) == len(prepared) else prepared.select(positions)


def _has_label(labels: Any, lengths: Any) -> bool:
    """Whether any token is learned; the first of each text follows nothing, and never is."""
    learned = labels != UNLEARNED
    starts = np.concatenate(([0], np.cumsum(np.asarray(lengths, dtype=int))))
    learned[starts[starts < len(learned)]] = False
    return bool(learned.any())


def _batches(prepared: Dataset) -> Iterator[dict[str, Any]]:
    for begin in range(0, len(prepared), BATCH_ROWS):
        yield prepared.with_format(None)[begin : begin + BATCH_ROWS]
