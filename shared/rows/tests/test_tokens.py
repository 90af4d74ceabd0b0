"""Choice of the pad token."""

import pytest

from rows.errors import TokenError
from rows.tokens import pad_token


def vocabulary(*tokens: str) -> dict[str, int]:
    return {token: i for i, token in enumerate(["a", "</s>", *tokens])}


@pytest.mark.parametrize(
    ("tokens", "pad", "unk", "wanted"),
    [
        (("<p>", "<unk>"), "<p>", "<unk>", "<p>"),
        (("<unk>",), "</s>", "<unk>", "<unk>"),
        (("<|reserved_0|>", "<|pad_right|>"), None, "</s>", "<|pad_right|>"),
        (("padding", "<|reserved_0|>", "<|reserved_1|>"), None, None, "<|reserved_0|>"),
    ],
)
def test_padding_token_is_the_best_other_than_the_end(
    tokens: tuple[str, ...], pad: str | None, unk: str | None, wanted: str
) -> None:
    assert pad_token("</s>", pad, unk, vocabulary(*tokens)) == wanted


def test_padding_token_defaults_to_the_end_of_text() -> None:
    assert pad_token("</s>", "</s>", None, vocabulary("padding")) == "</s>"
    assert pad_token("</s>", None, "</s>", vocabulary()) == "</s>"


def test_missing_end_of_text_is_refused() -> None:
    with pytest.raises(TokenError, match="no end-of-text token"):
        pad_token(None, "<p>", None, vocabulary("<p>"))
