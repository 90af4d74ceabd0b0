"""From rows to what is trained on: a text, a text of which only the end counts, or messages."""

from collections.abc import Callable, Mapping
from typing import Any

from datasets import Dataset

from ft.api import PromptMetadata
from ft.training import of_prompt
from rows import conversations
from rows.cell_types import dataset_of
from rows.errors import DataError
from rows.shares import missing_values
from rows.templates import check_columns, fill, training_text, used_columns
from trainer import chat
from trainer.errors import SettingsError
from trainer.hardware import Notify

TEXT_COLUMN = "prediction"
"""The column with the text to train on."""
BEGINNING, COMPLETION, MESSAGES = "prompt", "completion", "messages"
"""Columns as the library knows them: the completion alone counts, or what its settings say."""
_Make = Callable[[dict[str, Any], int], dict[str, Any]]
_COMPARED_ROWS = 1000
_PARTS = ("input_template", "completion_template")


class Examples:
    """Makes of rows what a job with these settings trains on."""

    def __init__(
        self, prompt: PromptMetadata, settings: Mapping[str, Any], tokenizer: Any, rows: Dataset
    ) -> None:
        """`rows` are any of those that are to be trained on. The tokenizer is given the chat
        template that the settings name.

        Raises DataError if they lack what the prompt names, SettingsError if the settings ask for
        what the prompt or the tokenizer does not have.
        """
        chat.take_template(settings, tokenizer)
        self._prompt, self._tokenizer = prompt, tokenizer
        self._end: str = tokenizer.eos_token
        self._completions = bool(settings.get("completion_only_loss"))
        self._answers = bool(settings.get("assistant_only_loss"))
        for name in ("prompt_template", *(_PARTS if self._completions else ())):
            check_columns(getattr(prompt, name), rows.column_names, name)
        self._column = conversations.column_of(prompt.prompt_template, rows)
        templates = (prompt.prompt_template, prompt.input_template, prompt.completion_template)
        wrong = of_prompt(settings, *templates)
        if self._column:
            wrong = chat.faults(settings, tokenizer)
        elif self._answers:
            wrong = [*wrong, chat.NOT_FOR_TEXTS]
        if wrong:
            raise SettingsError(f"training_arguments_config: {'; '.join(wrong)}.")

    def of(self, rows: Dataset) -> Dataset:
        """What is trained on, a row for a row. Raises DataError for a row that does not fit."""
        make: _Make = self._parts if self._completions else self._text
        if self._column:
            # Not by a map: its table would add to each message the names that others have.
            made = [self._conversation(row, n)[MESSAGES] for n, row in enumerate(rows)]
            return dataset_of(MESSAGES, made)
        return rows.map(make, with_indices=True, remove_columns=rows.column_names)

    def check(self, examples: Dataset, notify: Notify) -> None:
        """Tells what the model would learn otherwise than it is meant to."""
        some = examples.select(range(min(len(examples), _COMPARED_ROWS)))
        if self._column:
            chat.check_end(some[0][MESSAGES], self._tokenizer, notify)
            pairs = list(chat.asked_and_whole(some[MESSAGES], self._tokenizer))
            self._check_tokens("chat template's question", pairs, notify)
        elif self._completions:
            pairs = [(row[BEGINNING], row[BEGINNING] + row[COMPLETION]) for row in some]
            self._check_tokens("input_template", pairs, notify)

    def _text(self, row: dict[str, Any], _: int) -> dict[str, Any]:
        return {TEXT_COLUMN: training_text(self._prompt.prompt_template, row, self._end)}

    def _parts(self, row: dict[str, Any], _: int) -> dict[str, Any]:
        return {
            BEGINNING: fill(self._prompt.input_template, row),
            COMPLETION: training_text(self._prompt.completion_template, row, self._end),
        }

    def _conversation(self, row: dict[str, Any], number: int) -> dict[str, Any]:
        try:
            messages = conversations.messages(row, self._column)
            if self._answers and not any(one["role"] == "assistant" for one in messages):
                raise DataError("assistant_only_loss has nothing to train on: no assistant speaks")
            chat.render(messages, self._tokenizer)
        except DataError as error:
            raise DataError(f"Row {number + 1} of those trained on or held out: {error}") from error
        return {MESSAGES: messages}

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


def tell_missing(
    prompt: PromptMetadata,
    settings: Mapping[str, Any],
    train: Dataset,
    held_out: Dataset,
    notify: Notify,
) -> None:
    """Tells of rows that lack a value in a column that the templates take."""
    used = _PARTS if settings.get("completion_only_loss") else ("prompt_template",)
    columns = used_columns(*(getattr(prompt, name) for name in used))
    for rows, what in ((train, "training"), (held_out, "held-out")):
        for name, missing in missing_values(rows, columns).items():
            notify(
                f"{missing} of {len(rows)} {what} rows have no value in column {name}, null or "
                "absent; it is filled as an empty text."
            )


def check_held_out(held_out: Dataset, settings: Mapping[str, Any]) -> None:
    """Raises DataError if evaluations during the training have no rows."""
    strategy = settings.get("eval_strategy", "no")
    if strategy != "no" and len(held_out) == 0:
        raise DataError(
            f"eval_strategy {strategy} needs rows that are held out: the dataset has no split "
            "`test` or `eval`, and train_test_split holds none out."
        )
