"""Columns of conversations: lists of messages, each with a role and what it says."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from datasets import Dataset

from rows import canonical
from rows.errors import DataError

ASSISTANT = "assistant"
"""The role of who answers."""
MARKERS = re.compile(r"\{%-?\s*generation\s*-?%\}")
"""What marks, in a chat template, the text that `assistant_only_loss` trains on."""
TEMPLATE_FAILURES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What a chat template may raise, beside its language's own errors, that meets messages it was not
written for."""
TEMPLATE_FILE = "chat_template.jinja"
"""Beside a tokenizer that was saved, an adapter's too."""
NOTHING_WRITTEN = "the chat template writes nothing, so that there is nothing to answer"
_ALONE = re.compile(r"\{([^{}!:.\[\]]+)\}")


def column_of(template: str, rows: Dataset) -> str:
    """The column of conversations that the template hands over as it is, `{messages}`; empty if
    it makes a text of the rows."""
    alone = _ALONE.fullmatch(template.strip())
    name = alone[1] if alone else ""
    if name not in rows.column_names:
        return ""
    first = next((row[name] for row in rows.select_columns([name]) if row[name]), None)
    return name if _is_conversation(first) else ""


def asked_column(input_template: str, completion_template: str, rows: Dataset) -> str:
    """The column of conversations whose last answers are asked for; empty if a text is asked.

    Raises DataError if what is expected is something else than those answers.
    """
    column = column_of(input_template, rows)
    if column and column_of(completion_template, rows) != column:
        raise DataError(
            f"The prompt's input_template hands over conversations, so that their last answers are "
            f"expected: its completion_template must be {{{column}}} too."
        )
    return column


def messages(row: Mapping[str, Any], column: str) -> list[dict[str, Any]]:
    """The messages of a row. Raises DataError if there are none, or one has no role or text."""
    found = row[column]
    if not found or not _is_conversation(found):
        raise DataError(f"column {column} has no list of messages")
    for number, message in enumerate(found, start=1):
        if not (isinstance(message.get("role"), str) and message.get("content") is not None):
            raise DataError(f"message {number} in column {column} has no role or no content")
    return list(found)


def question(row: Mapping[str, Any], column: str) -> tuple[list[dict[str, Any]], str]:
    """What comes before the answer that a row's conversation ends with, and the answer. Raises
    DataError if there is no conversation, or none that ends so."""
    if not is_answered(row, column):
        raise DataError(f"column {column} does not end with an assistant's answer to something")
    *before, last = messages(row, column)
    return before, last["content"]


def is_answered(row: Mapping[str, Any], column: str) -> bool:
    """Whether a row's conversation ends with an assistant's text, and has something before it.
    Raises DataError if there is no conversation."""
    *before, last = messages(row, column)
    answer = last["content"]
    text = isinstance(answer, str) and answer.strip() != ""
    return bool(before) and last["role"] == ASSISTANT and text


def answers(conversation: Any) -> list[bytes]:
    """A hash for each answer of an assistant: of who said what up to its end.

    It is the same for the same words, whatever else is known of a message and in what order.
    """
    total, found = sha256(), []
    for message in conversation if _is_conversation(conversation) else ():
        content = message["content"]
        said = content.strip() if isinstance(content, str) else content
        total.update(canonical.line({"role": message["role"], "content": said}))
        if message["role"] == ASSISTANT:
            found.append(total.digest())
    return found


def _is_conversation(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict) and "role" in one and "content" in one for one in value
    )
