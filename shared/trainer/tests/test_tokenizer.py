"""Where the pad token comes from."""

from typing import Any

import pytest
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from trainer.errors import ModelError
from trainer.tokenizer import set_pad_token


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
        (tokenizer("<unk>", pad_token="</s>", unk_token="<unk>"), "<unk>"),
        (tokenizer("<|reserved_0|>", "<|pad_right|>", unk_token="</s>"), "<|pad_right|>"),
        (tokenizer("padding", "<|reserved_0|>", "<|reserved_1|>"), "<|reserved_0|>"),
    ],
)
def test_the_best_token_that_is_not_the_end(given: Any, wanted: str) -> None:
    set_pad_token(given)

    assert given.pad_token == wanted
    assert given.pad_token_id != given.eos_token_id


def test_no_such_token_is_refused() -> None:
    with pytest.raises(ModelError, match="no pad token distinct"):
        set_pad_token(tokenizer("padding", pad_token="</s>"))


def test_no_end_of_text_is_refused() -> None:
    with pytest.raises(ModelError, match="no end-of-text token"):
        set_pad_token(tokenizer(eos_token=None))
