"""What training needs of a tokenizer, and how one is told from another."""

import json
from typing import Any

from rows.tokens import pad_token
from trainer.model.hashes import of_text


def set_pad_token(tokenizer: Any) -> None:
    """Gives the tokenizer a pad token distinct from end-of-text. Raises TokenError if there is
    none."""
    tokenizer.pad_token = pad_token(
        tokenizer.eos_token, tokenizer.pad_token, tokenizer.unk_token, tokenizer.get_vocab()
    )


def fingerprint(tokenizer: Any) -> str:
    """A hash of all that decides which tokens a text becomes."""
    facts: dict[str, Any] = {"special": tokenizer.special_tokens_map, "kind": "python"}
    if tokenizer.is_fast:
        facts |= json.loads(tokenizer.backend_tokenizer.to_str())
        # How texts were last brought to one length is a matter of the call.
        del facts["padding"], facts["truncation"]
    else:
        facts["vocabulary"] = tokenizer.get_vocab()
    canonical = json.dumps(facts, sort_keys=True, default=str)
    return of_text(canonical)
