"""Pad token and fingerprint of a tokenizer."""

import json
from typing import Any

from rows.tokens import pad_token
from trainer.model.hashes import of_text


def set_pad_token(tokenizer: Any) -> None:
    """Sets a pad token that is not end-of-text if there is one. Raises TokenError without an
    end-of-text token."""
    tokenizer.pad_token = pad_token(
        tokenizer.eos_token, tokenizer.pad_token, tokenizer.unk_token, tokenizer.get_vocab()
    )


def fingerprint(tokenizer: Any) -> str:
    """A hash of everything that determines the tokens of a text."""
    facts: dict[str, Any] = {"special": tokenizer.special_tokens_map, "kind": "python"}
    if tokenizer.is_fast:
        facts |= json.loads(tokenizer.backend_tokenizer.to_str())
        # Padding and truncation are options of a call.
        del facts["padding"], facts["truncation"]
    else:
        facts["vocabulary"] = tokenizer.get_vocab()
    canonical = json.dumps(facts, sort_keys=True, default=str)
    return of_text(canonical)
