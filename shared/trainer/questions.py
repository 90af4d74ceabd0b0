"""What a model is asked about rows, and what it is expected to write."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from datasets import Dataset

from ft.api import PromptMetadata
from rows import conversations, templates
from rows.errors import DataError
from trainer import chat
from trainer.model import longest_text

Sample = str | list[dict[str, Any]]
"""A text, or the messages of a conversation before an answer."""


@dataclass(frozen=True)
class Questions:
    """Texts that a model is to go on with."""

    texts: list[str]
    expected: list[str]
    """What it should write behind each of them."""
    chat: bool = False
    """Whether a chat template wrote them, with every special token."""


def of_rows(prompt: PromptMetadata, rows: Dataset, column: str, tokenizer: Any) -> Questions:
    """The rows as the prompt's input_template asks about them; the conversations of a `column`, if
    one is named, up to their last answer, by the tokenizer's chat template.

    Raises DataError for a row that does not fit, ModelError if there is no chat template.
    """
    if not column:
        texts = [templates.fill(prompt.input_template, row) for row in rows]
        return Questions(texts, [templates.fill(prompt.completion_template, row) for row in rows])
    chat.require_template(tokenizer)
    pairs = [_pair(row, number, column, tokenizer) for number, row in enumerate(rows, start=1)]
    return Questions([text for text, _ in pairs], [answer for _, answer in pairs], chat=True)


def samples(prompt: PromptMetadata, rows: Dataset, most: int) -> list[Sample]:
    """What a model that was trained with the prompt is asked about the first of the rows; nothing
    if the prompt says not how."""
    if column := conversations.column_of(prompt.prompt_template, rows):
        return list(islice(_conversations(rows, column), most))
    try:
        templates.check_columns(prompt.input_template, rows.column_names, "input_template")
    except DataError:
        return []
    filled = (templates.fill(prompt.input_template, row) for row in islice(rows, most))
    return [text for text in filled if text]


def written(sample: Sample, tokenizer: Any) -> str:
    """The text that the model goes on with. Raises DataError if the chat template refuses it."""
    return sample if isinstance(sample, str) else chat.ask(sample, tokenizer)


def fitting(samples: Sequence[Sample], model: Any, tokenizer: Any, more: int) -> list[Sample]:
    """Those of the samples that the chat template does not refuse, and behind which the model has
    room for so many `more` tokens."""
    longest = longest_text(model)

    def fits(sample: Sample) -> bool:
        try:
            text = written(sample, tokenizer)
        except DataError:
            return False
        return longest is None or len(tokenizer(text)["input_ids"]) + more < longest

    return [sample for sample in samples if fits(sample)]


def are_chat(asked: Sequence[Sample]) -> bool:
    """Whether a chat template writes them, with every special token."""
    return any(not isinstance(sample, str) for sample in asked)


def _conversations(rows: Dataset, column: str) -> Iterator[Sample]:
    for row in rows:
        try:
            yield conversations.question(row, column)[0]
        except DataError:
            continue


def _pair(row: dict[str, Any], number: int, column: str, tokenizer: Any) -> tuple[str, str]:
    try:
        before, answer = conversations.question(row, column)
        return chat.ask(before, tokenizer), answer
    except DataError as error:
        raise DataError(f"Row {number} of those that are asked about: {error}") from error
