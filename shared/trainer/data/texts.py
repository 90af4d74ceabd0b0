"""Training examples from rows: a text, a text of which only the end counts, or messages."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from datasets import Dataset

from ft.api import PromptMetadata
from ft.configs.training import prompt_conflicts
from rows.chat import checks, messages
from rows.chat.conversations import Conversations, column_of
from rows.errors import DataError
from rows.templates import RowTemplate, report_blank_answers, report_empty_values, training_text
from trainer.data import chat
from trainer.data.chat_tokens import ChatTokens
from trainer.errors import SettingsError
from trainer.model.hardware import Notify

TEXT_COLUMN = "prediction"
"""The column with the text to train on."""
BEGINNING, COMPLETION, MESSAGES = "prompt", "completion", "messages"
"""Columns that the library knows. Of beginning and completion, the completion alone counts."""
ASKED = "asked"
"""The column with the text that asks for a conversation's last answer; empty without one."""
_COMPARED_ROWS = 1000
_PARTS = ("input_template", "completion_template")


class Examples:
    """Converts rows to training examples."""

    def __init__(
        self,
        prompt: PromptMetadata,
        settings: Mapping[str, Any],
        tokenizer: Any,
        rows: Dataset,
        roles: Mapping[str, str] | None = None,
    ) -> None:
        """`rows` are any of the rows to train on; `roles` maps roles of conversations. The
        tokenizer gets the chat template that the settings name.

        Raises DataError if the rows lack a column that the prompt uses, SettingsError if the
        settings do not fit the prompt or the tokenizer.
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
            wrong = chat.setting_faults(settings, tokenizer)
        elif self._answers:
            wrong = [*wrong, chat.NOT_FOR_TEXTS]
        if wrong:
            raise SettingsError(f"training_arguments_config: {'; '.join(wrong)}.")
        self._tokens = ChatTokens(tokenizer, answers_only=self._answers)

    def of(self, rows: Dataset) -> Dataset:
        """A training example for each row. Raises DataError for a row that does not fit."""

        def example(row: dict[str, Any], number: int) -> dict[str, Any]:
            try:
                if self._conversations:
                    return self._conversation(self._conversations, row)
                if self._completions:
                    beginning, completion = (self._templates[name].fill(row) for name in _PARTS)
                    return {BEGINNING: beginning, COMPLETION: training_text(completion, self._end)}
                text = self._templates["prompt_template"].fill(row)
                return {TEXT_COLUMN: training_text(text, self._end)}
            except DataError as error:
                place = f"Row {number + 1} of the training rows or of the held-out rows"
                raise DataError(f"{place}: {error}") from error

        return rows.map(example, with_indices=True, remove_columns=rows.column_names)

    def check_rows(self, rows: Dataset, notify: Notify) -> None:
        """Reports parts of rows that are left out, and values that are missing."""
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
        """Reports where the model would learn other tokens than it is asked with later."""
        some = examples.select(range(min(len(examples), _COMPARED_ROWS)))
        if self._conversations:
            chat.check_end(some[0][TEXT_COLUMN], self._tokenizer, notify)
            pairs = [(row[ASKED], row[TEXT_COLUMN]) for row in some if row[ASKED]]
            self._check_tokens("chat template's question", pairs, notify)
        elif self._completions:
            pairs = [(row[BEGINNING], row[BEGINNING] + row[COMPLETION]) for row in some]
            self._check_tokens("input_template", pairs, notify)

    def _conversation(self, conversations: Conversations, row: dict[str, Any]) -> dict[str, Any]:
        talk, tools = conversations.messages(row), conversations.tools(row)
        *before, last = talk
        asked = ""
        if before and last["role"] == messages.ASSISTANT:
            with suppress(DataError):
                asked = chat.ask(before, self._tokenizer, tools)
        # The library gets tokens, and messages of two keys: it would fill up others with nulls.
        said = [{"role": one["role"], "content": one["content"]} for one in talk]
        text = chat.render(talk, self._tokenizer, tools)
        made = {MESSAGES: said, ASKED: asked, TEXT_COLUMN: text}
        return made | self._tokens.of(talk, tools, text)

    def _check_tokens(self, what: str, pairs: list[tuple[str, str]], notify: Notify) -> None:
        """Reports how many beginnings have other tokens alone than within the whole text: there the
        model is asked with tokens that it has not seen in training."""
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
                f"In {merged} of {len(pairs)} rows, the {what} has other tokens at its end alone "
                "than with an answer after it, for example because it ends with a space: the model "
                "will be asked with tokens that it was not trained on."
            )


def check_held_out(held_out: Dataset, settings: Mapping[str, Any]) -> None:
    """Raises DataError if the training is to be evaluated and no rows are held out."""
    strategy = settings.get("eval_strategy", "no")
    if strategy != "no" and len(held_out) == 0:
        raise DataError(
            f"eval_strategy {strategy} needs rows that are held out: the dataset has no split "
            "`test` or `eval`, and train_test_split holds none out."
        )
