"""From rows to what is trained on: a text, a text of which only the end counts, or messages."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from datasets import Dataset

from ft.api import PromptMetadata
from ft.configs.training import prompt_conflicts
from rows.chat import checks, messages
from rows.chat.conversations import column_of
from rows.errors import DataError
from rows.templates import RowTemplate, report_blank_answers, report_empty_values, training_text
from trainer.data import chat
from trainer.data.chat_tokens import ChatTokens
from trainer.errors import SettingsError
from trainer.model.hardware import Notify

TEXT_COLUMN = "prediction"
"""The column with the text to train on."""
BEGINNING, COMPLETION, MESSAGES = "prompt", "completion", "messages"
"""Columns as the library knows them: the completion alone counts, or what its settings say."""
ASKED = "asked"
"""The column with the text that asks for a conversation's last answer; empty if none is last."""
_Make = Callable[[dict[str, Any]], dict[str, Any]]
_COMPARED_ROWS = 1000
_PARTS = ("input_template", "completion_template")


class Examples:
    """Makes of rows what a job with these settings trains on."""

    def __init__(
        self,
        prompt: PromptMetadata,
        settings: Mapping[str, Any],
        tokenizer: Any,
        rows: Dataset,
        roles: Mapping[str, str] | None = None,
    ) -> None:
        """`rows` are any of those that are to be trained on, `roles` what roles of conversations
        stand for. The tokenizer is given the chat template that the settings name.

        Raises DataError if they lack what the prompt names, SettingsError if the settings ask for
        what the prompt or the tokenizer does not have.
        """
        chat.set_template(settings, tokenizer)
        self._prompt, self._tokenizer = prompt, tokenizer
        self._end: str = tokenizer.eos_token
        self._completions = bool(settings.get("completion_only_loss"))
        self._answers = bool(settings.get("assistant_only_loss"))
        self._templates = {
            name: RowTemplate(getattr(prompt, name), rows.column_names, name)
            for name in ("prompt_template", *(_PARTS if self._completions else ()))
        }
        self._conversations = column_of(prompt.prompt_template, rows, roles)
        templates = (prompt.prompt_template, prompt.input_template, prompt.completion_template)
        wrong = prompt_conflicts(settings, *templates)
        if self._conversations:
            wrong = chat.faults(settings, tokenizer)
        elif self._answers:
            wrong = [*wrong, chat.NOT_FOR_TEXTS]
        if wrong:
            raise SettingsError(f"training_arguments_config: {'; '.join(wrong)}.")
        self._tokens = ChatTokens(tokenizer, answers_only=self._answers)

    def of(self, rows: Dataset) -> Dataset:
        """What is trained on, a row for a row. Raises DataError for a row that does not fit."""
        make: _Make = self._parts if self._completions else self._text
        if self._conversations:
            make = self._conversation

        def numbered(row: dict[str, Any], number: int) -> dict[str, Any]:
            try:
                return make(row)
            except DataError as error:
                place = f"Row {number + 1} of those trained on or held out"
                raise DataError(f"{place}: {error}") from error

        return rows.map(numbered, with_indices=True, remove_columns=rows.column_names)

    def check_rows(self, rows: Dataset, notify: Notify) -> None:
        """Tells what is left out of rows, or is not in them."""
        if not self._conversations:
            report_empty_values(
                [getattr(self._prompt, name) for name in self._templates], rows, notify
            )
            report_blank_answers(self._prompt.completion_template, rows, notify)
            return
        talks = self._conversations
        checks.report_omissions(
            rows,
            lambda row: (talks.messages(row), talks.tools(row)),
            lambda talk, tools: chat.render(talk, self._tokenizer, tools),
            notify,
        )

    def check(self, examples: Dataset, notify: Notify) -> None:
        """Tells what the model would learn otherwise than it is meant to."""
        some = examples.select(range(min(len(examples), _COMPARED_ROWS)))
        if self._conversations:
            chat.check_end(some[0][TEXT_COLUMN], self._tokenizer, notify)
            pairs = [(row[ASKED], row[TEXT_COLUMN]) for row in some if row[ASKED]]
            self._check_tokens("chat template's question", pairs, notify)
        elif self._completions:
            pairs = [(row[BEGINNING], row[BEGINNING] + row[COMPLETION]) for row in some]
            self._check_tokens("input_template", pairs, notify)

    def _text(self, row: dict[str, Any]) -> dict[str, Any]:
        text = self._templates["prompt_template"].fill(row)
        return {TEXT_COLUMN: training_text(text, self._end)}

    def _parts(self, row: dict[str, Any]) -> dict[str, Any]:
        beginning, completion = (self._templates[name].fill(row) for name in _PARTS)
        return {BEGINNING: beginning, COMPLETION: training_text(completion, self._end)}

    def _conversation(self, row: dict[str, Any]) -> dict[str, Any]:
        assert self._conversations is not None
        talk, tools = self._conversations.messages(row), self._conversations.tools(row)
        *before, last = talk
        asked = ""
        if before and last["role"] == messages.ASSISTANT:
            with suppress(DataError):
                asked = chat.ask(before, self._tokenizer, tools)
        # The library is given tokens: objects of different keys would be filled up with nulls.
        said = [{"role": one["role"], "content": one["content"]} for one in talk]
        text = chat.render(talk, self._tokenizer, tools)
        made = {MESSAGES: said, ASKED: asked, TEXT_COLUMN: text}
        return made | self._tokens.of(talk, tools, text)

    def _check_tokens(self, what: str, pairs: list[tuple[str, str]], notify: Notify) -> None:
        """Compares tokens of each beginning alone with those of the whole: where they differ, the
        model is asked later for what it has not seen in training."""
        if not pairs:
            return
        beginnings, wholes = (
            self._tokenizer(list(texts))["input_ids"] for texts in zip(*pairs, strict=True)
        )
        merged = sum(
            whole[: len(beginning)] != beginning
            for beginning, whole in zip(beginnings, wholes, strict=True)
        )
        if merged:
            notify(
                f"In {merged} of {len(pairs)} rows the tokens of the {what} end otherwise alone "
                "than before an answer, as of a blank at its end: the model will be asked for what "
                "it has not seen."
            )


def check_held_out(held_out: Dataset, settings: Mapping[str, Any]) -> None:
    """Raises DataError if evaluations during the training have no rows."""
    strategy = settings.get("eval_strategy", "no")
    if strategy != "no" and len(held_out) == 0:
        raise DataError(
            f"eval_strategy {strategy} needs rows that are held out: the dataset has no split "
            "`test` or `eval`, and train_test_split holds none out."
        )
