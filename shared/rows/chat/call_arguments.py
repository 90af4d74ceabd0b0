"""Arguments of tool calls, as an object or as JSON text: chat templates expect one or the other."""

from collections.abc import Callable

from rows import values
from rows.chat.messages import CALLS, Message


def fitted(talk: list[Message], write: Callable[[list[Message]], str]) -> tuple[list[Message], str]:
    """The messages with arguments in the form that the chat template expects, and their text.

    `write` calls the template. Arguments are objects; they are JSON text if `write` fails with
    objects, or writes them as Python does. Raises what `write` raises for objects.
    """
    if not any(CALLS in message for message in talk):
        return talk, write(talk)
    with_json, arguments = [], []
    for message in talk:
        calls = []
        for call in message.get(CALLS, []):
            function = call["function"]
            arguments.append(function["arguments"])
            as_json = values.to_json(function["arguments"])
            calls.append({**call, "function": {**function, "arguments": as_json}})
        with_json.append({**message, CALLS: calls} if CALLS in message else message)
    try:
        text = write(talk)
    except TypeError as error:
        try:
            return with_json, write(with_json)
        except Exception:
            raise error from None
    if any(str(one) in text for one in arguments if str(one) != values.to_json(one)):
        return with_json, write(with_json)
    return talk, text
