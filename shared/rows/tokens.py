"""A tokenizer's pad token, which must be told from the end of the text."""

import re
from collections.abc import Mapping

from rows.errors import TokenError

SPARE_TOKENS = (
    re.compile(r"[<\[].*pad.*[>\]]", re.IGNORECASE),
    re.compile(r"[<\[].*reserved.*[>\]]", re.IGNORECASE),
)
"""Tokens of a vocabulary that stand for no text, best first."""


def pad_token(
    eos: str | None, pad: str | None, unk: str | None, vocabulary: Mapping[str, int]
) -> str:
    """The token to pad rows with, distinct from end-of-text, from the tokenizer's own vocabulary.

    Padding is left out of the loss. Were it the same token as end-of-text, the model would never
    learn to stop. Raises TokenError if the vocabulary has nothing to offer.
    """
    if eos is None:
        raise TokenError("The model's tokenizer has no end-of-text token, so it cannot be trained.")
    for token in (pad, unk):
        if token is not None and token != eos:
            return token
    by_id = sorted(vocabulary, key=vocabulary.__getitem__)
    for pattern in SPARE_TOKENS:
        for token in by_id:
            if token != eos and pattern.fullmatch(token):
                return token
    raise TokenError(
        "The model's tokenizer has no pad token distinct from its end-of-text token, "
        "and no unknown or reserved token to use instead."
    )
