"""Lets a model continue texts in batches."""

import copy
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from trainer.model import vocabulary
from trainer.model.loading import longest_text

BATCH_ROWS = 16


@dataclass(frozen=True)
class Continuation:
    """The text that a model wrote after an input, and its share of the seconds that its batch
    took."""

    text: str
    tokens: tuple[int, ...]
    """Up to the end of the text, with the end token if it was written."""
    seconds: float
    cut_off: bool
    """True if a limit has ended it, not the model."""
    asked: bool = True
    """False for an input that leaves the model no room to write, so that it was not asked."""


def continue_texts(
    model: Any,
    tokenizer: Any,
    generation: Any,
    inputs: Sequence[str],
    batch_rows: int = BATCH_ROWS,
    *,
    whole: bool = False,
) -> Iterator[Continuation]:
    """The continuations, in order, each without its input and without special tokens.

    The tokenizer adds no special token to inputs that are `whole`. No text becomes longer than the
    longest that the model supports. Raises ModelError for an input with a token that the model has
    no embedding for.
    """
    # Padding goes to the left, so that every text ends where the model continues.
    tokenizer.padding_side = "left"
    model.eval()
    longest = longest_text(model)
    for start in range(0, len(inputs), batch_rows):
        batch = list(inputs[start : start + batch_rows])
        begin = time.monotonic()
        encoded = tokenizer(
            batch,
            return_tensors="pt",
            padding=True,
            return_token_type_ids=False,
            add_special_tokens=not whole,
        )
        room = math.inf if longest is None else longest - encoded["input_ids"].shape[1]
        limited = generation
        if room < (generation.max_new_tokens or 0):
            if len(batch) > 1:
                # One by one, so that the longest input does not shorten the others' answers.
                yield from continue_texts(model, tokenizer, generation, batch, 1, whole=whole)
                continue
            if room <= 0:
                yield Continuation("", (), 0.0, cut_off=False, asked=False)
                continue
            limited = copy.copy(generation)
            limited.max_new_tokens = int(room)
        vocabulary.require(encoded["input_ids"].numpy(), model, tokenizer)
        yield from _continue_batch(model, tokenizer, limited, encoded, begin)


def _continue_batch(
    model: Any, tokenizer: Any, generation: Any, encoded: Any, begin: float
) -> list[Continuation]:
    """Continues the encoded inputs. `begin` is the time at which their work began."""
    encoded = encoded.to(model.device)
    with torch.inference_mode():
        output = model.generate(**encoded, generation_config=generation)
    end = generation.eos_token_id
    ends = end if isinstance(end, list) else [end]
    written: list[tuple[int, ...]] = []
    spoken: list[tuple[int, ...]] = []
    for row in output[:, encoded["input_ids"].shape[1] :].tolist():
        stop = next((i for i, token in enumerate(row) if token in ends), len(row))
        written.append(tuple(row[: stop + 1]))
        # The end of a chat template's answer need not be a special token of the tokenizer.
        spoken.append(tuple(row[:stop]))
    # Cleaned up, ` ,` would be `,`, and differ from an expected answer that has a blank there.
    texts: list[str] = tokenizer.batch_decode(
        spoken, skip_special_tokens=True, clean_up_tokenization_spaces=False
    )
    seconds = (time.monotonic() - begin) / len(texts)
    return [
        Continuation(text, tokens, seconds, cut_off=not tokens or tokens[-1] not in ends)
        for text, tokens in zip(texts, written, strict=True)
    ]
