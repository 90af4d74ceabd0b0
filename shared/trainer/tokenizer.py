"""Gives a tokenizer what training needs of it."""

from typing import Any

from rows.tokens import pad_token


def set_pad_token(tokenizer: Any) -> None:
    """Gives the tokenizer a pad token distinct from end-of-text. Raises TokenError if there is
    none."""
    tokenizer.pad_token = pad_token(
        tokenizer.eos_token, tokenizer.pad_token, tokenizer.unk_token, tokenizer.get_vocab()
    )
