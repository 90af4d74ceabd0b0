"""The chat templates with which the conversations of a job are rendered."""

from collections.abc import Sequence
from pathlib import Path

from chassis.rpc.findings import ERROR, NOTICE, Findings
from ft.proto.inspection_pb2 import ChatTemplateSource
from rows.errors import DataError
from services.inspection import rules
from services.inspection.model import chat
from services.inspection.model.chat import ChatTemplate
from services.inspection.model.tokenizer import ModelTokenizer, read_json
from services.inspection.settings import TEMPLATE_PATH, JobSettings

_REMEDY = (
    "set chat_template_path to a .jinja file of the project or to another tokenizer, or use a "
    "prompt that makes texts of the rows"
)


def training_template(
    settings: JobSettings,
    sources: Sequence[ChatTemplateSource],
    tokenizer: ModelTokenizer | None,
    findings: Findings,
) -> ChatTemplate | None:
    """The template of a training: the one that its settings name, or the model's own.

    Returns None, with a finding, if it cannot be used or only the job can read it; None without a
    finding if there is no tokenizer.
    """
    if tokenizer is None:
        return None
    if not sources:
        reason = (
            "the prompt is for conversations, but the model's tokenizer has no chat template: "
            f"{_REMEDY}"
        )
        return _compile(tokenizer, tokenizer.chat_template, reason, findings)
    path = settings.training.get(TEMPLATE_PATH)
    if sources[0].on_hub:
        description = f"conversations were checked without a chat template: see {TEMPLATE_PATH}"
        findings.add(NOTICE, "training_arguments_config", rules.CONVERSATIONS, description)
        return None
    reason = f"{TEMPLATE_PATH} {path!r} is a tokenizer that has no chat template"
    try:
        template = tokenizer.chat(_read(sources[0]))
    except DataError as error:
        template, reason = None, f"{TEMPLATE_PATH} {path!r}: {error}"
    if template is None:
        findings.add(ERROR, "training_arguments_config", rules.CHAT_TEMPLATE, reason)
    return template


def evaluation_templates(
    sources: Sequence[ChatTemplateSource], tokenizer: ModelTokenizer | None, findings: Findings
) -> list[ChatTemplate]:
    """The templates with which an evaluation asks, without repetitions.

    Those that cannot be used, or that only the job can read, are left out, with a finding for each.
    Returns none if there is no tokenizer.
    """
    if tokenizer is None:
        return []
    texts: list[str] = []
    for source in sources:
        if source.alone and tokenizer.chat_template:
            texts.append(tokenizer.chat_template)
        elif source.on_hub:
            description = (
                f"conversations were not checked with the chat template of adapter "
                f"{source.adapter}: it is on the hub, and only the job reads it"
            )
            findings.add(NOTICE, "model_adapter_combinations", rules.CONVERSATIONS, description)
        else:
            try:
                texts.append(_read(source) or tokenizer.chat_template)
            except DataError as error:
                findings.add(ERROR, "base_model_id", rules.CHAT_TEMPLATE, str(error))
    reason = (
        "the prompt is for conversations, but neither the model nor an adapter that is "
        "evaluated or compared with has a chat template for them"
    )
    found = [_compile(tokenizer, text, reason, findings) for text in dict.fromkeys(texts)]
    return [template for template in found if template is not None]


def _read(source: ChatTemplateSource) -> str:
    """The text of a template; empty if its files have none. Raises DataError."""
    files = {name: Path(path) for name, path in source.files.items()}
    config = files.get("tokenizer_config.json")
    return chat.text_of(files, read_json(config) if config else {})


def _compile(
    tokenizer: ModelTokenizer, text: str, reason: str, findings: Findings
) -> ChatTemplate | None:
    """Compiles a template; returns None, with a finding, if it is empty (for `reason`) or
    malformed."""
    try:
        template = tokenizer.chat(text)
    except DataError as error:
        template, reason = None, str(error)
    if template is None:
        findings.add(ERROR, "base_model_id", rules.CHAT_TEMPLATE, reason)
    return template
