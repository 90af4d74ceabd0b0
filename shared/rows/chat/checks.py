"""Checks for parts of conversations that a chat template omits or changes."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rows.chat.messages import ASSISTANT, CALLS, Message
from rows.errors import DataError

Tools = list[dict[str, Any]] | None
Render = Callable[[Sequence[Message], Tools], str]
"""The text of messages with tools. Raises DataError."""
_ALWAYS = ("role", "content")
_PLAIN_ROLES = ("user", ASSISTANT)


class ChatChecks:
    """Compares conversations with the texts that a chat template makes of them.

    Each name and role is tried once, in the first conversation that has it: does the text change
    without it?
    """

    def __init__(self, render: Render) -> None:
        self._render = render
        self._unwritten: dict[str, bool] = {}
        self._taken_for: dict[str, str] = {}

    def of(self, messages: Sequence[Message], tools: Tools, text: str) -> list[str]:
        """Findings about one conversation with this text, a clause each."""
        found = []
        for message in messages:
            role, content = message["role"], message["content"].strip()
            if role == ASSISTANT and not content and CALLS not in message:
                found.append("have an empty answer")
            spellings = (
                content,
                json.dumps(content, ensure_ascii=False)[1:-1],
                json.dumps(content)[1:-1],
            )
            if content and not any(one in text for one in spellings):
                found.append(
                    f"have a message of {role} whose text the chat template changes or leaves out"
                )
        if tools and self._is_unwritten("", messages, tools, text):
            found.append("have tools, which the chat template leaves out")
        for key in dict.fromkeys(key for one in messages for key in one if key not in _ALWAYS):
            if self._is_unwritten(key, messages, tools, text):
                found.append(f"have {key}, which the chat template leaves out")
        for role in dict.fromkeys(one["role"] for one in messages):
            if role not in _PLAIN_ROLES and (
                other := self._indistinct_from(role, messages, tools, text)
            ):
                found.append(f"have the role {role}, which the chat template writes as {other}")
        return list(dict.fromkeys(found))

    def _is_unwritten(self, key: str, messages: Sequence[Message], tools: Tools, text: str) -> bool:
        if key not in self._unwritten:
            less = [{k: v for k, v in one.items() if k != key} for one in messages]
            self._unwritten[key] = self._text(less, tools if key else None) == text
        return self._unwritten[key]

    def _indistinct_from(
        self, role: str, messages: Sequence[Message], tools: Tools, text: str
    ) -> str:
        """The plain role whose messages have the same text as those of `role`; empty if there is
        none."""
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
    """Reports how many of the rows' conversations have something that the text leaves out or
    changes.

    Rows without a conversation are skipped here; they are refused when they are used.
    """
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
