"""The base model's tokenizer, with a pad token that can be told from the end of the text."""

import re
from typing import Any

from trainer.errors import ModelError

SPARE_TOKENS = (
    re.compile(r"[<\[].*pad.*[>\]]", re.IGNORECASE),
    re.compile(r"[<\[].*reserved.*[>\]]", re.IGNORECASE),
)
"""Tokens of a vocabulary that stand for no text, best first."""


def set_pad_token(tokenizer: Any) -> None:
    """Gives the tokenizer a pad token distinct from end-of-text, from its own vocabulary.

    Padding is left out of the loss. Were it the same token as end-of-text, the model would never
    learn to stop. Raises ModelError if the vocabulary has nothing to offer.
    """
    if tokenizer.eos_token is None:
        raise ModelError("The model's tokenizer has no end-of-text token, so it cannot be trained.")
    if _usable(tokenizer.pad_token, tokenizer):
        return
    if _usable(tokenizer.unk_token, tokenizer):
        tokenizer.pad_token = tokenizer.unk_token
        return
    vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    for pattern in SPARE_TOKENS:
        for token in vocabulary:
            if pattern.fullmatch(token) and _usable(token, tokenizer):
                tokenizer.pad_token = token
                return
    raise ModelError(
        "The model's tokenizer has no pad token distinct from its end-of-text token, "
        "and no unknown or reserved token to use instead."
    )


def _usable(token: str | None, tokenizer: Any) -> bool:
    return token is not None and token != tokenizer.eos_token
