"""What a model is asked about rows, and what it is expected to write."""

from dataclasses import dataclass
from typing import Any

from datasets import Dataset

from ft.api import PromptMetadata
from rows import conversations, templates
from rows.errors import DataError
from trainer import chat


@dataclass(frozen=True)
class Questions:
    """Texts that a model is to go on with."""

    texts: list[str]
    expected: list[str]
    """What it should write behind each of them."""
    chat: bool = False
    """Whether a chat template wrote them, with every special token."""


def of_rows(prompt: PromptMetadata, rows: Dataset, tokenizer: Any) -> Questions:
    """The rows as the prompt's input_template asks about them; conversations up to their last
    answer, by the tokenizer's chat template.

    Raises DataError for a row that does not fit, ModelError if there is no chat template.
    """
    column = column_of(prompt, rows)
    if not column:
        texts = [templates.fill(prompt.input_template, row) for row in rows]
        return Questions(texts, [templates.fill(prompt.completion_template, row) for row in rows])
    chat.require_template(tokenizer)
    pairs = [_pair(row, number, column, tokenizer) for number, row in enumerate(rows, start=1)]
    return Questions([text for text, _ in pairs], [answer for _, answer in pairs], chat=True)


def column_of(prompt: PromptMetadata, rows: Dataset) -> str:
    """The column of conversations that the prompt asks about; empty if it asks with texts. Raises
    DataError if it expects something else than their last answers."""
    return conversations.asked_column(prompt.input_template, prompt.completion_template, rows)


def _pair(row: dict[str, Any], number: int, column: str, tokenizer: Any) -> tuple[str, str]:
    try:
        before, answer = conversations.question(row, column)
        return chat.ask(before, tokenizer), answer
    except DataError as error:
        raise DataError(f"Row {number} of those that are asked about: {error}") from error
