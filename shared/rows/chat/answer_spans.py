"""Answers that carry no loss, `weight` 0, and where they stand in a conversation's text."""

from collections.abc import Callable, Sequence

from rows.chat.checks import Render, Tools
from rows.chat.messages import ASSISTANT, WEIGHT, Message, unlearned
from rows.errors import DataError

NO_ANSWER = "assistant_only_loss has nothing to train on: no assistant speaks"
NO_WEIGHT = "assistant_only_loss has nothing to train on: every answer has the weight 0"


def require_learned(talk: Sequence[Message]) -> None:
    """Raises DataError if a conversation has no answer that `assistant_only_loss` trains on."""
    answers = [one for one in talk if one["role"] == ASSISTANT]
    if not answers:
        raise DataError(NO_ANSWER)
    if all(one.get(WEIGHT) == 0 for one in answers):
        raise DataError(NO_WEIGHT)


def of(
    talk: Sequence[Message], tools: Tools, text: str, render: Render, ask: Render
) -> list[tuple[int, int]]:
    """Begin and end, in characters, of each answer with the weight 0 in the text of a conversation.

    `render` writes out messages, `ask` with the beginning of an answer behind them. Raises
    DataError if the chat template writes an answer otherwise alone than within the whole.
    """
    return [_span(talk, place, tools, text, render, ask) for place in unlearned(talk)]


def _span(
    talk: Sequence[Message], place: int, tools: Tools, text: str, render: Render, ask: Render
) -> tuple[int, int]:
    number = place + 1
    try:
        behind = render(talk[:number], tools)
        begin = _begin(talk[:place], tools, behind, (ask, render))
    except DataError as error:
        raise DataError(f"message {number} has the weight 0, but {error}") from error
    if begin is None or not text.startswith(behind):
        raise DataError(
            f"message {number} has the weight 0, but the chat template does not write its "
            "beginning and end as it does within the whole, so that its tokens are not known: end "
            "the conversation before it, or leave it out"
        )
    return begin, len(behind)


def _begin(
    before: Sequence[Message],
    tools: Tools,
    behind: str,
    ways: Sequence[Callable[[Sequence[Message], Tools], str]],
) -> int | None:
    """Offset of the answer at the end of the text `behind`; None if it cannot be determined.

    A template may ask with more than it writes before answers, such as an empty thought."""
    if not before:
        return 0
    for write in ways:
        text = write(before, tools)
        if behind.startswith(text):
            return len(text)
    return None
