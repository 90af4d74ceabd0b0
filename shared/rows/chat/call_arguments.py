"""Arguments of calls, as an object or as its JSON: templates of models expect one or the other."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rows import values
from rows.chat.messages import CALLS, Message


def fitted(talk: list[Message], write: Callable[[list[Message]], str]) -> tuple[list[Message], str]:
    """The messages with arguments as the chat template that `write` calls expects them, and their
    text: objects, or JSON where it fails with these or writes them as Python does.

    Raises what `write` raises for objects.
    """
    if not any(CALLS in message for message in talk):
        return talk, write(talk)
    texts = [_with_json(message) for message in talk]
    try:
        text = write(talk)
    except TypeError as error:
        try:
            return texts, write(texts)
        except Exception:
            raise error from None
    if any(str(one) in text for one in _arguments(talk) if str(one) != values.to_json(one)):
        return texts, write(texts)
    return talk, text


def _with_json(message: Message) -> Message:
    if CALLS not in message:
        return message
    calls = [
        {
            **call,
            "function": {
                **call["function"],
                "arguments": values.to_json(call["function"]["arguments"]),
            },
        }
        for call in message[CALLS]
    ]
    return {**message, CALLS: calls}


def _arguments(talk: Sequence[Message]) -> Iterator[Any]:
    for message in talk:
        for call in message.get(CALLS, []):
            yield call["function"]["arguments"]
