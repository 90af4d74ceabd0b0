"""Answers that carry no loss (`weight` 0), and their positions in a conversation's text."""

from collections.abc import Sequence

from rows.chat.checks import Render, Tools
from rows.chat.messages import ASSISTANT, WEIGHT, Message, unlearned
from rows.errors import DataError

NO_ANSWER = "assistant_only_loss has nothing to train on: there is no message of an assistant"
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
    """Begin and end, in characters, of each answer with weight 0 in the text of a conversation.

    `render` writes messages, `ask` writes messages and the beginning of an answer. Raises DataError
    if the chat template writes an answer alone otherwise than within the whole conversation.
    """
    spans = []
    for place in unlearned(talk):
        number = place + 1
        # A template may ask with more than it writes before answers, such as an empty thought.
        ways = (ask, render) if place else ()
        try:
            until_end = render(talk[:number], tools)
            starts = (write(talk[:place], tools) for write in ways)
            begin = next((len(start) for start in starts if until_end.startswith(start)), None)
        except DataError as error:
            raise DataError(f"message {number} has the weight 0, but {error}") from error
        if not place:
            begin = 0
        if begin is None or not text.startswith(until_end):
            raise DataError(
                f"message {number} has the weight 0, but the chat template writes it differently "
                "within the whole conversation, so its tokens cannot be found: end the "
                "conversation before it, or leave it out"
            )
        spans.append((begin, len(until_end)))
    return spans
