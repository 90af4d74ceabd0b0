"""Messages of conversations in the formats of the field, brought into one form.

OpenAI's format for fine-tuning has `role` and `content`, a text, parts of one, or null beside
`tool_calls`, and `weight` 0 for an answer that is not learned. ShareGPT's has `from` and `value`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rows import values
from rows.errors import DataError

ASSISTANT = "assistant"
"""The role of answers."""
KNOWN_ROLES = ("system", "developer", "user", ASSISTANT, "tool")
"""Roles of OpenAI's format."""
CALLS = "tool_calls"
WEIGHT = "weight"
"""The key of an answer's weight in the loss: 0 or 1. It is not passed to chat templates."""
_MISNAMED = {
    "human": "user",
    "prompter": "user",
    "gpt": ASSISTANT,
    "chatgpt": ASSISTANT,
    "bing": ASSISTANT,
    "bard": ASSISTANT,
    "bot": ASSISTANT,
    "chatbot": ASSISTANT,
    "ai": ASSISTANT,
    "model": ASSISTANT,
    "observation": "tool",
}
"""Roles of other formats, and the roles that they usually stand for."""
_SAID = {"content", CALLS, "function_call"}
"""Keys with the content of a message; the last is of OpenAI's older format."""
_TEXT_PARTS = ("text", "input_text", "output_text")
_SHOWN = 60
Message = dict[str, Any]


def is_conversation(value: Any) -> bool:
    """Tells whether a value looks like a list of messages, in either format."""
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        return False
    # A message may lack what it says: it is refused as one, and no text is made of the list.
    spoken = any(
        ("role" in one and _SAID & one.keys()) or {"from", "value"} <= one.keys() for one in value
    )
    return spoken and all("role" in one or "from" in one for one in value)


def is_written_out(value: Any) -> bool:
    """Tells whether a text is a list of messages in JSON."""
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return False
    try:
        return is_conversation(values.from_json(value))
    except (DataError, ValueError):
        return False


def of(found: Sequence[Any], roles: Mapping[str, str], *, called: bool = False) -> list[Message]:
    """The messages in one form: `role`, `content` as text, `tool_calls` with arguments as objects,
    `weight`, and all other keys that a message has.

    `roles` maps roles to other roles. Raises DataError, naming the message, for one that no
    training can use. The advice is for the owner of the data, or, if `called`, for the caller of a
    served model.
    """
    made = []
    for number, message in enumerate(found, start=1):
        try:
            made.append(_message(message, roles, called=called))
        except DataError as error:
            raise DataError(f"message {number} {error}") from error
    return made


def tools(found: Any) -> list[dict[str, Any]] | None:
    """A row's tools, given as a list or as its JSON; None if there are none. Raises DataError."""
    if isinstance(found, str):
        try:
            found = values.from_json(found) if found.strip() else None
        except (DataError, ValueError) as error:
            raise DataError(f"tools is not JSON: {error}") from error
    if not found:
        return None
    functions = [
        one.get("function", one) if isinstance(one, Mapping) else None
        for one in (found if isinstance(found, list) else [None])
    ]
    if not all(isinstance(one, Mapping) and isinstance(one.get("name"), str) for one in functions):
        raise DataError(
            'tools must be a list of objects like {"type": "function", "function": '
            '{"name": …, "parameters": …}}'
        )
    return list(found)


def without_nulls(value: Any) -> Any:
    """A value without object keys that are null. Some readers add such keys, so that all objects
    have the same ones."""
    if isinstance(value, Mapping):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def for_template(conversation: Sequence[Message]) -> list[Message]:
    """The messages as they are passed to a chat template."""
    return [{key: one[key] for key in one if key != WEIGHT} for one in conversation]


def unlearned(conversation: Sequence[Message]) -> list[int]:
    """Indexes of the answers that carry no loss, from 0."""
    return [place for place, one in enumerate(conversation) if one.get(WEIGHT) == 0]


def _message(message: Any, roles: Mapping[str, str], *, called: bool) -> Message:
    if not isinstance(message, Mapping):
        raise DataError(f"is not an object with role and content: {_shown(message)}")
    named = ("role", "content") if "role" in message else ("from", "value")
    role = _role(message.get(named[0]), roles, called=called)
    calls = _calls(message.get(CALLS), role)
    made: Message = {"role": role, "content": _content(message.get(named[1]), role, bool(calls))}
    if calls:
        made[CALLS] = calls
    weight = message.get(WEIGHT)
    if weight is not None:
        if isinstance(weight, bool) or not isinstance(weight, int | float) or weight not in (0, 1):
            raise DataError(f"has the weight {_shown(weight)}: it must be 0 or 1")
        if role != ASSISTANT:
            raise DataError(f"of {role} has a weight: only an assistant's answers have one")
        made[WEIGHT] = int(weight)
    rest = (key for key in message if key not in (*named, CALLS, WEIGHT))
    return made | {key: message[key] for key in rest if message[key] is not None}


def role_of(message: Mapping[str, Any]) -> str:
    """The role of a message as given, in either format; empty if it has none."""
    role = message.get("role", message.get("from"))
    return role if isinstance(role, str) else ""


def usual_role(role: str) -> str:
    """The role that a role of another format usually stands for; empty for any other."""
    return _MISNAMED.get(role.lower(), "")


def _role(given: Any, roles: Mapping[str, str], *, called: bool) -> str:
    if not isinstance(given, str) or not given.strip():
        raise DataError("has no role")
    if given in roles:
        return roles[given]
    if meant := usual_role(given):
        pairs = "human=user,gpt=assistant" if given in ("human", "gpt") else f"{given}={meant}"
        what_to_do = (
            f"give it as {meant}"
            if called
            else f"map it when you register the data: fts datasets add --roles {pairs}"
        )
        raise DataError(f"has the role {given}, which models do not know: {what_to_do}")
    return given


def _content(given: Any, role: str, calls: bool) -> str:
    if isinstance(given, str):
        return given
    if given is None:
        if calls:
            return ""
        hint = f" and no {CALLS} (the new name of function_call)" if role == ASSISTANT else ""
        raise DataError(f"of {role} has no content{hint}")
    if not isinstance(given, list):
        raise DataError(
            f"of {role} has a content that is neither a text nor a list of parts: {_shown(given)}"
        )
    for part in given:
        if not isinstance(part, Mapping):
            raise DataError(f"has a part that is not an object with type and text: {_shown(part)}")
        kind = part.get("type")
        if kind is None:
            raise DataError(f"has a part without a type: {_shown(part)}")
        if kind not in _TEXT_PARTS:
            raise DataError(f"has a part of type {kind}: only parts of type text can be used")
        if not isinstance(part.get("text"), str):
            raise DataError(f"has a part of type {kind} without a text: {_shown(part)}")
    return "".join(part["text"] for part in given)


def _calls(given: Any, role: str) -> list[dict[str, Any]]:
    if not given:
        return []
    if role != ASSISTANT:
        raise DataError(f"of {role} has {CALLS}, which only an assistant can have")
    if not isinstance(given, list):
        raise DataError(f"has {CALLS} that are not a list: {_shown(given)}")
    made = []
    for call in given:
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise DataError(f"has a call of a tool without function and name: {_shown(call)}")
        name, arguments = function["name"], function.get("arguments")
        if isinstance(arguments, str):
            # OpenAI's format writes them as JSON in a text; chat templates expect the object.
            try:
                arguments = values.from_json(arguments) if arguments.strip() else {}
            except (DataError, ValueError) as error:
                raise DataError(
                    f"calls {name} with arguments that are not JSON: {error}"
                ) from error
        if arguments is None:
            arguments = {}
        if not isinstance(arguments, Mapping):
            raise DataError(
                f"calls {name} with arguments that are not an object: {_shown(arguments)}"
            )
        made.append({**call, "function": {**function, "arguments": arguments}})
    return made


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:_SHOWN]
