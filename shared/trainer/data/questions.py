"""Questions to a model about rows, and the expected answers."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from datasets import Dataset

from ft.api import PromptMetadata
from rows.chat import checks
from rows.chat.checks import Tools
from rows.chat.conversations import Conversations, column_of
from rows.errors import DataError
from rows.templates import RowTemplate
from trainer.data import chat
from trainer.model.hardware import Notify
from trainer.model.loading import longest_text


@dataclass(frozen=True)
class ChatInput:
    """The messages of a conversation before an answer."""

    messages: list[dict[str, Any]]
    tools: Tools = None


ModelInput = str | ChatInput


@dataclass(frozen=True)
class Questions:
    """Texts that a model is to continue."""

    texts: list[str]
    expected: list[str]
    """The expected continuation of each."""
    chat: bool = False
    """True if a chat template wrote them, with every special token."""


def of_rows(
    prompt: PromptMetadata, rows: Dataset, conversations: Conversations | None, tokenizer: Any
) -> Questions:
    """The rows as questions: the prompt's input_template, or for `conversations` the messages up to
    their last answer, by the tokenizer's chat template.

    Raises DataError for a row that does not fit, ModelError if there is no chat template.
    """
    columns = rows.column_names
    if conversations:
        chat.require_template(tokenizer)
    else:
        asked = RowTemplate(prompt.input_template, columns, "input_template")
        answer = RowTemplate(prompt.completion_template, columns, "completion_template")
    texts, expected = [], []
    for number, row in enumerate(rows, start=1):
        try:
            if conversations:
                before, last = conversations.question(row)
                texts.append(chat.ask(before, tokenizer, conversations.tools(row)))
                expected.append(last)
            else:
                texts.append(asked.fill(row))
                expected.append(answer.fill(row))
        except DataError as error:
            raise DataError(f"Row {number} of the evaluated rows: {error}") from error
    return Questions(texts, expected, chat=conversations is not None)


def check_rows(rows: Dataset, conversations: Conversations, tokenizer: Any, notify: Notify) -> None:
    """Reports parts of the conversations that the chat template leaves out."""
    checks.report_omissions(
        rows,
        lambda row: (conversations.question(row)[0], conversations.tools(row)),
        lambda talk, tools: chat.ask(talk, tokenizer, tools),
        notify,
    )


def samples(
    prompt: PromptMetadata, rows: Dataset, most: int, roles: Mapping[str, str] | None = None
) -> list[ModelInput]:
    """Questions about the first rows for a model that was trained with the prompt; empty if the
    prompt cannot ask."""
    if conversations := column_of(prompt.prompt_template, rows, roles):
        found: list[ModelInput] = []
        for row in rows:
            if len(found) == most:
                break
            with suppress(DataError):
                found.append(ChatInput(conversations.question(row)[0], conversations.tools(row)))
        return found
    try:
        template = RowTemplate(prompt.input_template, rows.column_names, "input_template")
        filled = [template.fill(row) for row in islice(rows, most)]
    except DataError:
        return []
    return [text for text in filled if text]


def written(sample: ModelInput, tokenizer: Any) -> str:
    """The text that the model continues. Raises DataError if the chat template refuses it."""
    if isinstance(sample, str):
        return sample
    return chat.ask(sample.messages, tokenizer, sample.tools)


def that_fit(
    samples: Sequence[ModelInput], model: Any, tokenizer: Any, more: int
) -> list[ModelInput]:
    """The samples that the chat template accepts, and after which the model has room for `more`
    tokens."""
    longest = longest_text(model)

    def fits(sample: ModelInput) -> bool:
        try:
            text = written(sample, tokenizer)
        except DataError:
            return False
        return longest is None or len(tokenizer(text)["input_ids"]) + more < longest

    return [sample for sample in samples if fits(sample)]


def are_chat(asked: Sequence[ModelInput]) -> bool:
    """Tells whether the samples are conversations."""
    return any(not isinstance(sample, str) for sample in asked)
