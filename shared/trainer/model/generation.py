"""Lets a model continue texts, many at a time."""

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
    """What a model wrote behind an input, and its share of the seconds that its batch took."""

    text: str
    tokens: tuple[int, ...]
    """Up to the end of the text and with its token, if that was written."""
    seconds: float
    cut_off: bool
    """Whether a limit ended it, and not the model."""
    asked: bool = True
    """False for an input that leaves the model no room to write: it was not asked."""


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

    The tokenizer adds no special token to inputs that are `whole`: they have them already. None
    goes beyond the longest text that the model takes. Raises ModelError for an input with a token
    that the model has no embedding for.
    """
    # Padding goes to the left, so that every text ends where the model goes on.
    tokenizer.padding_side = "left"
    model.eval()
    end = generation.eos_token_id
    ends = end if isinstance(end, list) else [end]
    for start in range(0, len(inputs), batch_rows):
        batch = list(inputs[start : start + batch_rows])
        begin = time.monotonic()
        encoded = _encoded(tokenizer, batch, whole=whole)
        room, limited = _room(model, encoded), generation
        if room < (generation.max_new_tokens or 0):
            if len(batch) > 1:
                # Each by itself, so that the longest does not shorten what others may write.
                yield from continue_texts(model, tokenizer, generation, batch, 1, whole=whole)
                continue
            if room <= 0:
                yield Continuation("", (), 0.0, cut_off=False, asked=False)
                continue
            limited = copy.copy(generation)
            limited.max_new_tokens = int(room)
        vocabulary.require(encoded["input_ids"].numpy(), model, tokenizer)
        written = _continue_batch(model, limited, encoded)
        tokens = [_until_end(one, ends) for one in written.tolist()]
        said = [_said(one, ends) for one in tokens]
        # Cleaned up, ` ,` would be `,`, and equal no expected answer that has a blank there.
        texts: list[str] = tokenizer.batch_decode(
            said, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        seconds = (time.monotonic() - begin) / len(batch)
        for text, of_text in zip(texts, tokens, strict=True):
            yield Continuation(text, of_text, seconds, not of_text or of_text[-1] not in ends)


def _room(model: Any, encoded: Any) -> float:
    """Tokens that the model can write behind each of the texts."""
    longest = longest_text(model)
    return math.inf if longest is None else longest - encoded["input_ids"].shape[1]


def _encoded(tokenizer: Any, batch: list[str], *, whole: bool) -> Any:
    return tokenizer(
        batch,
        return_tensors="pt",
        padding=True,
        return_token_type_ids=False,
        add_special_tokens=not whole,
    )


@torch.inference_mode()
def _continue_batch(model: Any, generation: Any, encoded: Any) -> Any:
    encoded = encoded.to(model.device)
    output = model.generate(**encoded, generation_config=generation)
    return output[:, encoded["input_ids"].shape[1] :]


def _until_end(tokens: list[int], ends: list[int]) -> tuple[int, ...]:
    for i, token in enumerate(tokens):
        if token in ends:
            return tuple(tokens[: i + 1])
    return tuple(tokens)


def _said(tokens: tuple[int, ...], ends: list[int]) -> tuple[int, ...]:
    # Of a chat template, what ends an answer need not be a special token to the tokenizer.
    return tokens[:-1] if tokens and tokens[-1] in ends else tokens
