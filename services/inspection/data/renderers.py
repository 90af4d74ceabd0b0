"""Renderers, which make texts of rows, and the one that fills a prompt's template."""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from datasets import Dataset

from chassis.rpc.findings import ERROR, Findings
from rows.errors import DataError
from rows.templates import RowTemplate
from services.inspection import rules
from services.inspection.settings import JobSettings

NOT_RENDERABLE = (AttributeError, LookupError, TypeError, ValueError, MemoryError, DataError)
"""Errors of a row that is no conversation, and of a value that a placeholder reaches into or
formats."""

Row = dict[str, Any]


@dataclass(frozen=True)
class RowRenderer:
    """Makes a text of a row."""

    render: Callable[[Row], str]
    """Raises one of NOT_RENDERABLE if no text can be made of the row."""
    columns: list[str]
    """Placeholders that it fills with values of the row."""
    whole_columns: Collection[str] = ()
    """Those that it fills with the whole value."""
    conversation: bool = False
    """True if a chat template writes the text, with every special token."""
    prefix: Callable[[Row], str] | None = None
    """Renders the text before the first token that is trained on; None if all is trained on."""
    missing: Callable[[Row], list[str]] = lambda _: []
    """Placeholders for which a row has no value."""
    blanks: Callable[[Row], list[str]] = lambda _: []
    """Placeholders of the answer that are blank texts in a row."""
    check: Callable[[Row, str], list[str]] = lambda _row, _text: []
    """Checks a row and its text; returns a clause for each problem."""
    countable: bool = True
    """True if the job makes the same texts, so that their tokens may be counted."""


def template_renderer(settings: JobSettings, rows: Dataset, findings: Findings) -> RowRenderer:
    """The renderer that fills the prompt's template."""
    training, prompt, columns = settings.training, settings.request.prompt, rows.column_names
    if settings.tuning and training.get("assistant_only_loss"):
        description = "assistant_only_loss is for conversations, and the prompt makes a text"
        findings.add(ERROR, "training_arguments_config", rules.ANSWERS, description)
    template = RowTemplate(settings.template, columns, settings.template_name)
    prefix = None
    if settings.tuning and training.get("completion_only_loss"):
        prefix = RowTemplate(prompt.input_template, columns, "input_template").fill
    completion: RowTemplate | None = None
    with suppress(DataError):  # A training may do without it.
        completion = RowTemplate(prompt.completion_template, columns, "completion_template")

    def blanks(row: Row) -> list[str]:
        with suppress(DataError):
            return completion.blanks(row) if completion else []
        return []

    return RowRenderer(
        template.fill,
        template.columns,
        template.whole_columns,
        prefix=prefix,
        missing=template.without_value,
        blanks=blanks,
    )
