"""What a model is asked about rows, and what it is expected to write."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
    """Texts that a model is to go on with."""

    texts: list[str]
    expected: list[str]
    """What it should write behind each of them."""
    chat: bool = False
    """Whether a chat template wrote them, with every special token."""


def of_rows(
    prompt: PromptMetadata, rows: Dataset, conversations: Conversations | None, tokenizer: Any
) -> Questions:
    """The rows as the prompt's input_template asks about them; of `conversations`, if they are
    asked about, what is up to their last answer, by the tokenizer's chat template.

    Raises DataError for a row that does not fit, ModelError if there is no chat template.
    """
    if conversations:
        chat.require_template(tokenizer)
        pair = partial(_of_conversation, conversations, tokenizer)
    else:
        columns = rows.column_names
        asked = RowTemplate(prompt.input_template, columns, "input_template")
        answer = RowTemplate(prompt.completion_template, columns, "completion_template")
        pair = partial(_of_texts, asked, answer)
    pairs = [_numbered(pair, row, number) for number, row in enumerate(rows, start=1)]
    texts, expected = [text for text, _ in pairs], [answer for _, answer in pairs]
    return Questions(texts, expected, chat=conversations is not None)


def check_rows(rows: Dataset, conversations: Conversations, tokenizer: Any, notify: Notify) -> None:
    """Tells what the chat template leaves out of conversations that are asked about."""
    checks.report_omissions(
        rows,
        lambda row: (conversations.question(row)[0], conversations.tools(row)),
        lambda talk, tools: chat.ask(talk, tokenizer, tools),
        notify,
    )


def samples(
    prompt: PromptMetadata, rows: Dataset, most: int, roles: Mapping[str, str] | None = None
) -> list[ModelInput]:
    """What a model that was trained with the prompt is asked about the first of the rows; nothing
    if the prompt says not how."""
    if conversations := column_of(prompt.prompt_template, rows, roles):
        return list(islice(_talks(rows, conversations), most))
    try:
        template = RowTemplate(prompt.input_template, rows.column_names, "input_template")
        filled = [template.fill(row) for row in islice(rows, most)]
    except DataError:
        return []
    return [text for text in filled if text]


def written(sample: ModelInput, tokenizer: Any) -> str:
    """The text that the model goes on with. Raises DataError if the chat template refuses it."""
    if isinstance(sample, str):
        return sample
    return chat.ask(sample.messages, tokenizer, sample.tools)


def fitting(
    samples: Sequence[ModelInput], model: Any, tokenizer: Any, more: int
) -> list[ModelInput]:
    """Those of the samples that the chat template does not refuse, and behind which the model has
    room for so many `more` tokens."""
    longest = longest_text(model)

    def fits(sample: ModelInput) -> bool:
        try:
            text = written(sample, tokenizer)
        except DataError:
            return False
        return longest is None or len(tokenizer(text)["input_ids"]) + more < longest

    return [sample for sample in samples if fits(sample)]


def are_chat(asked: Sequence[ModelInput]) -> bool:
    """Whether a chat template writes them, with every special token."""
    return any(not isinstance(sample, str) for sample in asked)


def _talks(rows: Dataset, conversations: Conversations) -> Iterator[ModelInput]:
    for row in rows:
        try:
            yield ChatInput(conversations.question(row)[0], conversations.tools(row))
        except DataError:
            continue


def _of_texts(asked: RowTemplate, expected: RowTemplate, row: dict[str, Any]) -> tuple[str, str]:
    return asked.fill(row), expected.fill(row)


def _of_conversation(
    conversations: Conversations, tokenizer: Any, row: dict[str, Any]
) -> tuple[str, str]:
    before, answer = conversations.question(row)
    return chat.ask(before, tokenizer, conversations.tools(row)), answer


def _numbered(
    pair: Callable[[dict[str, Any]], tuple[str, str]], row: dict[str, Any], number: int
) -> tuple[str, str]:
    try:
        return pair(row)
    except DataError as error:
        raise DataError(f"Row {number} of those that are asked about: {error}") from error
