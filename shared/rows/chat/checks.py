"""Checks for parts of conversations that a chat template omits or changes."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rows.chat.messages import ASSISTANT, CALLS, Message
from rows.errors import DataError

Tools = list[dict[str, Any]] | None
Render = Callable[[Sequence[Message], Tools], str]
"""The text of messages with tools. Raises DataError."""
_ALWAYS = ("role", "content")
_PLAIN_ROLES = ("user", ASSISTANT)


class ChatChecks:
    """Looks at conversations and at the texts that a chat template makes of them.

    Each name and role is tried once, in the first conversation that has it: is the text another
    one without it?
    """

    def __init__(self, render: Render) -> None:
        self._render = render
        self._unwritten: dict[str, bool] = {}
        self._taken_for: dict[str, str] = {}

    def of(self, messages: Sequence[Message], tools: Tools, text: str) -> list[str]:
        """Findings about one conversation with this text, a clause each."""
        return list(dict.fromkeys(self._clauses(messages, tools, text)))

    def _clauses(self, messages: Sequence[Message], tools: Tools, text: str) -> Iterator[str]:
        for message in messages:
            role, content = message["role"], message["content"].strip()
            if role == ASSISTANT and not content and CALLS not in message:
                yield "have an empty answer"
            if content and not any(one in text for one in _spellings(content)):
                yield f"have a message of {role} whose text the chat template changes or leaves out"
        if tools and self._is_unwritten("", messages, tools, text):
            yield "have tools, of which the chat template writes nothing"
        for key in dict.fromkeys(key for one in messages for key in one if key not in _ALWAYS):
            if self._is_unwritten(key, messages, tools, text):
                yield f"have {key}, of which the chat template writes nothing"
        for role in dict.fromkeys(one["role"] for one in messages):
            if role not in _PLAIN_ROLES and (other := self._other(role, messages, tools, text)):
                yield f"have the role {role}, which the chat template writes as {other}"

    def _is_unwritten(self, key: str, messages: Sequence[Message], tools: Tools, text: str) -> bool:
        if key not in self._unwritten:
            less = [{k: v for k, v in one.items() if k != key} for one in messages]
            self._unwritten[key] = self._text(less, tools if key else None) == text
        return self._unwritten[key]

    def _other(self, role: str, messages: Sequence[Message], tools: Tools, text: str) -> str:
        """The role that a role's messages are written like; empty if they are told apart."""
        if role not in self._taken_for:
            same = (
                other
                for other in _PLAIN_ROLES
                if text
                == self._text(
                    [one | {"role": other} if one["role"] == role else one for one in messages],
                    tools,
                )
            )
            self._taken_for[role] = next(same, "")
        return self._taken_for[role]

    def _text(self, messages: Sequence[Message], tools: Tools) -> str | None:
        try:
            return self._render(messages, tools)
        except DataError:
            return None


def report_omissions(
    rows: Iterable[Mapping[str, Any]],
    of_row: Callable[[Mapping[str, Any]], tuple[Sequence[Message], Tools]],
    render: Render,
    notify: Callable[[str], None],
) -> None:
    """Tells in how many of the rows' conversations what is left out or changed. Rows without one
    are left to whoever needs them."""
    checks, found, total = ChatChecks(render), Counter[str](), 0
    for row in rows:
        total += 1
        try:
            talk, tools = of_row(row)
            found.update(checks.of(talk, tools, render(talk, tools)))
        except DataError:
            continue
    for clause, count in found.items():
        notify(f"{count} of {total} conversations {clause}.")


def _spellings(content: str) -> Iterator[str]:
    yield content
    yield json.dumps(content, ensure_ascii=False)[1:-1]
    yield json.dumps(content)[1:-1]
