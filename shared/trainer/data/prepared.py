"""Checks of the rows that the library has prepared: tokens, and labels of those that are
learned."""

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
    """Removes rows without anything to learn from the trainer, with a notice; reports rows that
    were cut off.

    `rows` is the number of rows before the library prepared them. Raises DataError if no row is
    left, ModelError for tokens that the model has no embedding for.
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
                f"{left_out} of {len(trainer.eval_dataset)} held-out rows have no token that "
                "counts in the loss, and are left out of evaluations during the training."
            )
        trainer.eval_dataset = kept


def _why(config: Any) -> str:
    longest = config.max_length
    return f"max_length {longest} cuts off all that is trained on" if longest else _NOTHING


_NOTHING = "none of their tokens is trained on"


def _learnable(prepared: Dataset, trainer: Any) -> Dataset:
    """The rows with at least one token that counts in the loss."""
    positions = []
    plain = prepared.with_format(None)
    for begin in range(0, len(prepared), BATCH_ROWS):
        batch = plain[begin : begin + BATCH_ROWS]
        for number, labels in enumerate(batch["labels"]):
            learned = np.asarray(labels) != UNLEARNED
            # The first token of each text follows nothing, so it is not learned.
            lengths = batch["seq_lengths"][number] if "seq_lengths" in batch else ()
            starts = np.concatenate(([0], np.cumsum(np.asarray(lengths, dtype=int))))
            learned[starts[starts < len(learned)]] = False
            if learned.any():
                positions.append(begin + number)
        for ids in batch["input_ids"]:
            vocabulary.require(np.asarray(ids), trainer.model, trainer.processing_class)
    return prepared if len(positions) == len(prepared) else prepared.select(positions)
