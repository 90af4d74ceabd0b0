"""What makes texts of the rows of a job."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from datasets import Dataset

from rows import conversations, templates
from rows.errors import DataError
from services.inspection import rules
from services.inspection.chat import ChatTemplate
from services.inspection.data import Parts
from services.inspection.findings import ERROR, NOTICE, WARNING, Findings
from services.inspection.settings import JobSettings
from services.inspection.tokenizer import ModelTokenizer


@dataclass(frozen=True)
class Filling:
    """Makes a text of a row."""

    fill: Callable[[dict[str, Any]], str]
    columns: list[str]
    """Placeholders that it fills with values of the row."""
    conversation: bool = False
    """Whether a chat template writes it out, with every special token."""


def check_evaluations(settings: JobSettings, parts: Parts, findings: Findings) -> None:
    """Notes that evaluations during the training have no rows."""
    strategy = settings.training.get("eval_strategy") or "no"
    if strategy != "no" and len(parts.held_out) == 0:
        description = f"eval_strategy is {strategy}, but no row is held out from the training"
        findings.add(ERROR, "dataset_id", rules.EVALUATED, description)


def filling(
    settings: JobSettings, rows: Dataset, tokenizer: ModelTokenizer | None, findings: Findings
) -> Filling | None:
    """What makes texts of these rows; None, and noted, if nothing can."""
    column = conversations.column_of(settings.template, rows) if settings.tuning else ""
    if column:
        return _of_conversations(settings, column, tokenizer, findings)
    if settings.tuning and settings.training.get("assistant_only_loss"):
        description = "assistant_only_loss is for conversations, and the prompt makes a text"
        findings.add(ERROR, "training_arguments_config", rules.ANSWERS, description)
    names = templates.placeholders(settings.template, settings.template_name)
    return Filling(partial(templates.fill, settings.template), names)


def _of_conversations(
    settings: JobSettings, column: str, tokenizer: ModelTokenizer | None, findings: Findings
) -> Filling | None:
    if tokenizer is None:
        return None
    if settings.training.get("chat_template_path"):
        description = "conversations were not looked at: their chat template is the job's to read"
        findings.add(NOTICE, "training_arguments_config", rules.CONVERSATIONS, description)
        return None
    template = _template(tokenizer, findings)
    if template is None:
        return None
    if settings.training.get("assistant_only_loss") and not template.marked:
        description = (
            "assistant_only_loss needs a chat template with {% generation %} around the answers; "
            "the model's has none, and the job fails unless the library knows the template"
        )
        findings.add(WARNING, "training_arguments_config", rules.ANSWERS, description)
    return Filling(lambda row: template.render(conversations.messages(row, column)), [column], True)


def _template(tokenizer: ModelTokenizer, findings: Findings) -> ChatTemplate | None:
    why = "the prompt hands over conversations, but the model's tokenizer has no chat template"
    try:
        template = tokenizer.chat()
    except DataError as error:
        template, why = None, str(error)
    if template is None:
        findings.add(ERROR, "base_model_id", rules.CHAT_TEMPLATE, why)
    return template
