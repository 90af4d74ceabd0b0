"""Columns of conversations: lists of messages, each with a role and what it says."""

import re
from collections.abc import Mapping
from typing import Any

from datasets import Dataset

from rows.errors import DataError

MARKERS = re.compile(r"\{%-?\s*generation\s*-?%\}")
"""What marks, in a chat template, the text that `assistant_only_loss` trains on."""
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


def messages(row: Mapping[str, Any], column: str) -> list[dict[str, Any]]:
    """The messages of a row. Raises DataError if there are none, or one has no role or text."""
    found = row[column]
    if not found or not _is_conversation(found):
        raise DataError(f"column {column} has no list of messages")
    for number, message in enumerate(found, start=1):
        if not (isinstance(message.get("role"), str) and message.get("content") is not None):
            raise DataError(f"message {number} in column {column} has no role or no content")
    return list(found)


def _is_conversation(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict) and "role" in one and "content" in one for one in value
    )
