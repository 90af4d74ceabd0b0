"""The tokenizer has the token that was chosen, and counts as those who look beforehand do."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from rows.errors import TokenError
from rows.tokens import pad_token
from trainer.model.loading import load_tokenizer
from trainer.model.tokenizer import set_pad_token

MODEL = Path(__file__).parents[2] / "starter" / "model"


def tokenizer(*tokens: str, **special: str) -> Any:
    vocabulary = {token: i for i, token in enumerate(["a", "</s>", *tokens])}
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary)),
        **{"eos_token": "</s>", **special},
    )


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (tokenizer("<p>", "<unk>", pad_token="<p>", unk_token="<unk>"), "<p>"),
        (tokenizer("<|reserved_0|>", "<|pad_right|>", unk_token="</s>"), "<|pad_right|>"),
    ],
)
def test_token_is_one_of_the_vocabulary(given: Any, wanted: str) -> None:
    set_pad_token(given)

    assert given.pad_token == wanted
    assert given.pad_token_id != given.eos_token_id


def test_missing_end_of_text_is_refused() -> None:
    with pytest.raises(TokenError, match="no end-of-text token"):
        set_pad_token(tokenizer(eos_token=None))


def test_starter_model_is_padded_as_the_rule_says() -> None:
    plain = Tokenizer.from_file(str(MODEL / "tokenizer.json"))

    chosen = pad_token("<|end|>", "<|pad|>", None, plain.get_vocab())

    assert load_tokenizer(str(MODEL)).pad_token == chosen


@settings(deadline=None)
@given(st.text(max_size=300))
def test_libraries_count_the_same_tokens(text: str) -> None:
    plain = Tokenizer.from_file(str(MODEL / "tokenizer.json"))

    assert load_tokenizer(str(MODEL))(text)["input_ids"] == plain.encode(text).ids
