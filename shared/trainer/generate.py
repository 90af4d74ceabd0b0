"""Lets a model continue texts, many at a time."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

BATCH_ROWS = 16


@dataclass(frozen=True)
class Continuation:
    """What a model wrote behind an input, and its share of the seconds that its batch took."""

    text: str
    tokens: tuple[int, ...]
    """Up to the end of the text and with its token, if that was written."""
    seconds: float


def continue_texts(
    model: Any, tokenizer: Any, generation: Any, inputs: Sequence[str], batch_rows: int = BATCH_ROWS
) -> Iterator[Continuation]:
    """The continuations, in order, each without its input and without special tokens."""
    # Padding goes to the left, so that every text ends where the model goes on.
    tokenizer.padding_side = "left"
    model.eval()
    for start in range(0, len(inputs), batch_rows):
        batch = list(inputs[start : start + batch_rows])
        begin = time.monotonic()
        written = _continue_batch(model, tokenizer, generation, batch)
        texts: list[str] = tokenizer.batch_decode(written, skip_special_tokens=True)
        seconds = (time.monotonic() - begin) / len(batch)
        for text, tokens in zip(texts, written.tolist(), strict=True):
            yield Continuation(text, _until_end(tokens, generation.eos_token_id), seconds)


@torch.inference_mode()
def _continue_batch(model: Any, tokenizer: Any, generation: Any, batch: list[str]) -> Any:
    encoded = tokenizer(batch, return_tensors="pt", padding=True, return_token_type_ids=False).to(
        model.device
    )
    output = model.generate(**encoded, generation_config=generation)
    return output[:, encoded["input_ids"].shape[1] :]


def _until_end(tokens: list[int], end: int | list[int] | None) -> tuple[int, ...]:
    ends = end if isinstance(end, list) else [end]
    for i, token in enumerate(tokens):
        if token in ends:
            return tuple(tokens[: i + 1])
    return tuple(tokens)
