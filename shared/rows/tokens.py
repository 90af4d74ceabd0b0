"""Choice of a tokenizer's pad token."""

import re
from collections.abc import Mapping

from rows.errors import TokenError

SPARE_TOKENS = (
    re.compile(r"[<\[].*pad.*[>\]]", re.IGNORECASE),
    re.compile(r"[<\[].*reserved.*[>\]]", re.IGNORECASE),
)
"""Patterns of tokens that represent no text, best first."""


def pad_token(
    eos: str | None, pad: str | None, unk: str | None, vocabulary: Mapping[str, int]
) -> str:
    """Chooses the token to pad rows with from the tokenizer's vocabulary: not end-of-text if there
    is another one.

    Padding is masked in attention and loss by its position, so the end of each text counts in
    either case. Raises TokenError if there is no end-of-text token.
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
    return eos
