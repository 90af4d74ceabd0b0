"""Notices about templates, over the usual prompts and those of conversations."""

import pytest

from ft.prompts.notices import NoticeKind, SpecialTokens, notices

COLUMNS = ["customer", "action", "messages"]
ASKED = "Q: {customer}\nA:"


def kinds(
    whole: str, asked: str, answer: str, tokens: SpecialTokens | None = None
) -> set[NoticeKind]:
    templates = {"prompt_template": whole, "input_template": asked, "completion_template": answer}
    return {one.kind for one in notices(templates, COLUMNS, tokens)}


@pytest.mark.parametrize("answer", ["{action}", "{action}!", "is {action}", "{customer} {action}"])
def test_blank_at_the_end_of_the_question_is_reported(answer: str) -> None:
    for blank in (" ", "\t", "  "):
        assert kinds(f"{ASKED}{blank}{answer}", f"{ASKED}{blank}", answer) == {NoticeKind.BLANK}
    assert kinds(f"{ASKED} {answer}", ASKED, f" {answer}") == set()
    assert kinds(f"{ASKED}\n{answer}", f"{ASKED}\n", answer) == set()


@pytest.mark.parametrize("asked", [ASKED, "{customer}"])
def test_duplicate_special_tokens_are_reported(asked: str) -> None:
    both = SpecialTokens(end="</s>", beginning="<s>", others=("</s>", "<s>"))
    for tokens in (None, both):
        assert kinds(f"<s>{asked} {{action}}", f"<s>{asked}", " {action}", tokens) == {
            NoticeKind.TOKENS
        }
        assert kinds(f"{asked} {{action}}</s>", asked, " {action}</s>", tokens) == {
            NoticeKind.TOKENS
        }
    # A tokenizer that adds nothing writes them once.
    neither = SpecialTokens(end="", beginning="")
    assert kinds(f"<s>{asked} {{action}}", f"<s>{asked}", " {action}", neither) == set()


def test_conversations_have_no_notices_and_a_column_alone_has() -> None:
    assert kinds("{messages}", "{messages}", " {messages}\n") == set()
    assert kinds("{customer}", "{action}", "{action}") == {NoticeKind.WHOLE}
    assert kinds("{customer}{action}", "{customer}", "{action}") == set()
