"""Columns of conversations: lists of messages, each with a role and content."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from datasets import Dataset

from ft.api import DatasetMetadata
from ft.prompts.templates import Template, TemplateFault, parse
from rows import canonical, values
from rows.cell_types import JsonCell
from rows.chat import messages
from rows.chat.messages import ASSISTANT, Message
from rows.errors import DataError

TOOLS = "tools"
"""The column with the tools that a conversation may call."""
MARKERS = re.compile(r"\{%-?\s*generation\s*-?%\}")
"""The tag in a chat template that marks the text that `assistant_only_loss` trains on."""
TEMPLATE_FAILURES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""Errors of a chat template, besides Jinja's own, for messages that it does not support."""
NOTHING_WRITTEN = "the chat template writes nothing, so that there is nothing to answer"


def roles_of(dataset: DatasetMetadata) -> dict[str, str]:
    """Mapping of the roles in a dataset's conversations, from its record.

    Raises DataError if the record, which may have been imported, has no valid mapping."""
    if not dataset.roles:
        return {}
    try:
        found = values.from_json(dataset.roles)
    except (DataError, ValueError):
        found = None
    if isinstance(found, dict) and all(isinstance(role, str) for role in found.values()):
        return found
    raise DataError(
        f"The roles of dataset {dataset.name} are not a JSON object of texts: "
        f"{dataset.roles[:60]!r}. Add the dataset again, with fts datasets add --roles "
        "human=user,gpt=assistant or without roles."
    )


@dataclass(frozen=True)
class Conversations:
    """A column of conversations."""

    column: str
    roles: Mapping[str, str] = field(default_factory=dict)
    """Roles that are mapped to another role."""
    filled_up: bool = False
    """True if the reader has added null for each key that an object lacks and others have."""

    def messages(self, row: Mapping[str, Any]) -> list[Message]:
        """The messages of a row in one form, see `messages.of`. Raises DataError."""
        found = row.get(self.column)
        if not found or not isinstance(found, list):
            raise DataError(f"column {self.column} has no list of messages")
        try:
            return messages.of(self._cleared(found), self.roles)
        except DataError as error:
            raise DataError(f"column {self.column}: {error}") from error

    def tools(self, row: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        """The tools that a row's conversation may call; None if it has none. Raises DataError."""
        try:
            return messages.tools(self._cleared(row.get(TOOLS)))
        except DataError as error:
            raise DataError(f"column {error}") from error

    def question(self, row: Mapping[str, Any]) -> tuple[list[Message], str]:
        """Splits a row's conversation into the messages before its last answer, and the answer.

        Raises DataError if there is no conversation, or if it does not end with an answer."""
        if not self.is_answered(row):
            raise DataError(
                f"column {self.column} does not end with an assistant's answer to another message, "
                "or that answer has weight 0"
            )
        *before, last = self.messages(row)
        return before, last["content"]

    def is_answered(self, row: Mapping[str, Any]) -> bool:
        """Tells whether a row's conversation ends with an assistant's text after at least one other
        message.

        An answer of weight 0 does not count: it is an example of how not to answer. Raises
        DataError if there is no conversation.
        """
        *before, last = self.messages(row)
        said = last["role"] == ASSISTANT and last["content"].strip() != ""
        return bool(before) and said and last.get(messages.WEIGHT) != 0

    def answers(self, row: Mapping[str, Any]) -> list[bytes]:
        """Hashes of the answers of an assistant that are to be learned, each over roles and texts
        up to its end.

        Other keys of messages, and their order, do not count. A row that is broken has none.
        """
        total, found = sha256(), []
        try:
            conversation = self.messages(row)
        except DataError:
            return []
        for message in conversation:
            said = {"role": message["role"], "content": message["content"].strip()}
            calls = {key: message[key] for key in (messages.CALLS,) if key in message}
            total.update(canonical.line(said | calls))
            if message["role"] == ASSISTANT and message.get(messages.WEIGHT) != 0:
                found.append(total.digest())
        return found

    def _cleared(self, value: Any) -> Any:
        return messages.without_nulls(value) if self.filled_up else value


def column_of(
    template: str, rows: Dataset, roles: Mapping[str, str] | None = None
) -> Conversations | None:
    """The conversations that the template passes on unchanged, as `{messages}` does; None if it
    makes a text of the rows.

    Raises DataError if they are JSON within a text.
    """
    try:
        parsed: Template = parse(template.strip(), rows.column_names)
    except TemplateFault:
        return None
    [*parts] = parsed.parts
    if len(parts) != 1 or isinstance(parts[0], str):
        return None
    name = parts[0].column
    if parts[0].text != name or name not in rows.column_names:
        return None
    first = next((row[name] for row in rows.select_columns([name]) if row[name]), None)
    if messages.is_written_out(first):
        raise DataError(
            f"column {name} has conversations as JSON within a text: save the data as JSONL, one "
            "row per line, with the messages as a list of objects"
        )
    if not messages.is_conversation(first):
        return None
    return Conversations(name, roles or {}, not isinstance(rows.features[name], JsonCell))


def asked_column(
    input_template: str,
    completion_template: str,
    rows: Dataset,
    roles: Mapping[str, str] | None = None,
) -> Conversations | None:
    """The conversations whose last answers a model is asked for; None if the prompt asks with
    texts.

    Raises DataError if the expected answers are something else.
    """
    asked = column_of(input_template, rows, roles)
    if asked and column_of(completion_template, rows, roles) != asked:
        raise DataError(
            "The prompt's input_template is a column of conversations, so the expected answers "
            f"are their last messages: its completion_template must be {{{asked.column}}} too."
        )
    return asked
