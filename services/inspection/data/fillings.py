"""What makes texts of the rows of a job."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import Dataset

from chassis.prompt_rules import OF_KIND
from chassis.rpc.findings import ERROR, NOTICE, WARNING, Findings
from ft.prompts.notices import notices
from ft.proto.inspection_pb2 import ChatTemplateSource
from rows import templates, values
from rows.chat import answer_spans, conversations, messages
from rows.chat.checks import ChatChecks, Tools
from rows.chat.conversations import Conversations
from rows.errors import DataError
from services.inspection import rules
from services.inspection.data.rows import Parts, asked_column
from services.inspection.model import chat
from services.inspection.model.chat import ChatTemplate
from services.inspection.model.tokenizer import ModelTokenizer, read_json
from services.inspection.settings import TEMPLATE_PATH, JobSettings, number

_REMEDY = (
    "set chat_template_path to a .jinja file of the project or to another tokenizer, or make a "
    "text of the rows"
)


@dataclass(frozen=True)
class Filling:
    """Makes a text of a row."""

    fill: Callable[[dict[str, Any]], str]
    columns: list[str]
    """Placeholders that it fills with values of the row."""
    whole_columns: Collection[str] = ()
    """Those of which it takes the whole value."""
    conversation: bool = False
    """Whether a chat template writes it out, with every special token."""
    begin: Callable[[dict[str, Any]], str] | None = None
    """Makes of a row what comes before the first token that is trained on; None where all is."""
    empty: Callable[[dict[str, Any]], list[str]] = lambda _: []
    """Placeholders for which a row has no value."""
    blanks: Callable[[dict[str, Any]], list[str]] = lambda _: []
    """Placeholders of the answer that are blank texts in a row."""
    check: Callable[[dict[str, Any], str], list[str]] = lambda _row, _text: []
    """What is to be told about a row and its text, a clause each."""
    countable: bool = True
    """Whether its texts are those that a job has, so that tokens may be counted."""


def check_templates(
    settings: JobSettings, rows: Dataset, tokenizer: ModelTokenizer | None, findings: Findings
) -> None:
    """Notes what the prompt's templates are likely to do with the model's tokenizer."""
    tokens = tokenizer.special_tokens() if tokenizer else None
    of_prompt = templates.of(settings.request.prompt)
    for one in notices(of_prompt, rows.column_names, tokens):
        findings.add(WARNING, "prompt_id", OF_KIND[one.kind], f"{one.field} {one.text}")


def check_evaluations(settings: JobSettings, parts: Parts, findings: Findings) -> None:
    """Notes that evaluations during the training have no rows."""
    strategy = settings.training.get("eval_strategy") or "no"
    if strategy != "no" and len(parts.held_out) == 0:
        description = f"eval_strategy is {strategy}, but no row is held out from the training"
        findings.add(ERROR, "dataset_id", rules.EVALUATED, description)


def check_batches(settings: JobSettings, parts: Parts, findings: Findings) -> None:
    """Notes that the rows do not fill a batch where only full ones are kept."""
    training = settings.training
    if not training.get("dataloader_drop_last"):
        return
    counted = {}
    if not training.get("packing"):
        counted["per_device_train_batch_size"] = (len(parts.used), "to train on")
    evaluates = (training.get("eval_strategy") or "no") != "no"
    packed = training.get("eval_packing") or training.get("packing")
    if evaluates and len(parts.held_out) and not packed:
        counted["per_device_eval_batch_size"] = (len(parts.held_out), "that are held out")
    for name, (rows, what) in counted.items():
        batch = number(training, name, 8) * max(settings.request.num_workers, 1)
        if rows < batch:
            description = (
                f"dataloader_drop_last leaves out every row: {rows} rows {what} do not fill a "
                f"batch of {batch} ({name} times workers)"
            )
            findings.add(ERROR, "training_arguments_config", rules.IN_THE_MODEL, description)


def check_answers(parts: Parts, findings: Findings) -> None:
    """Notes conversations that an evaluation leaves out."""
    if rows := parts.unanswered:
        description = (
            f"{rows} of {len(parts.held_out)} held-out conversations are left out: they do not end "
            "with an assistant's answer to something, or the answer has the weight 0"
        )
        findings.add(WARNING, "dataset_id", rules.ANSWERED, description, rows)


def fillings(
    settings: JobSettings,
    sources: Sequence[ChatTemplateSource],
    rows: Dataset,
    tokenizer: ModelTokenizer | None,
    findings: Findings,
) -> list[Filling]:
    """What makes texts of these rows, each in a way of its own; none, and noted, if nothing can."""
    if settings.tuning:
        roles = conversations.roles_of(settings.request.dataset)
        if found := conversations.column_of(settings.template, rows, roles):
            return _trained(settings, sources, found, tokenizer, findings)
    elif found := asked_column(settings.request, rows):
        return _asked(sources, found, tokenizer, findings)
    return [_of_texts(settings, rows, findings)]


def _of_texts(settings: JobSettings, rows: Dataset, findings: Findings) -> Filling:
    if settings.tuning and settings.training.get("assistant_only_loss"):
        description = "assistant_only_loss is for conversations, and the prompt makes a text"
        findings.add(ERROR, "training_arguments_config", rules.ANSWERS, description)
    columns = rows.column_names
    made = templates.RowTemplate(settings.template, columns, settings.template_name)
    begin = None
    if settings.tuning and settings.training.get("completion_only_loss"):
        asked = settings.request.prompt.input_template
        begin = templates.RowTemplate(asked, columns, "input_template").fill
    return Filling(
        made.fill,
        made.columns,
        made.whole_columns,
        begin=begin,
        empty=made.without_value,
        blanks=_blanks(settings.request.prompt.completion_template, columns),
    )


def _blanks(completion: str, columns: list[str]) -> Callable[[dict[str, Any]], list[str]]:
    try:
        made = templates.RowTemplate(completion, columns, "completion_template")
    except DataError:
        # A training may do without it.
        return lambda _: []

    def blanks(row: dict[str, Any]) -> list[str]:
        with suppress(DataError):
            return made.blanks(row)
        return []

    return blanks


def _trained(
    settings: JobSettings,
    sources: Sequence[ChatTemplateSource],
    talks: Conversations,
    tokenizer: ModelTokenizer | None,
    findings: Findings,
) -> list[Filling]:
    template = _training_template(settings, sources, tokenizer, findings)
    if template is None:
        return [_form_alone(talks, talks.messages)]
    if settings.training.get("assistant_only_loss") and not template.marked:
        description = (
            "assistant_only_loss needs a chat template with {% generation %} around the answers; "
            "this one has none, and the job fails unless the library knows the template"
        )
        findings.add(WARNING, "training_arguments_config", rules.ANSWERS, description)

    answers = bool(settings.training.get("assistant_only_loss"))

    def ask(talk: Sequence[messages.Message], tools: Tools) -> str:
        return template.render(talk, tools, ask=True)

    def fill(row: dict[str, Any]) -> str:
        talk, tools = talks.messages(row), talks.tools(row)
        if answers:
            answer_spans.require_learned(talk)
        text = template.render(talk, tools)
        # What no answer of weight 0 can be found in fails the job.
        answer_spans.of(talk, tools, text, template.render, ask)
        return text

    def begin(row: dict[str, Any]) -> str:
        found = talks.messages(row)
        learned = [
            number
            for number, one in enumerate(found)
            if one["role"] == messages.ASSISTANT and one.get(messages.WEIGHT, 1)
        ]
        return ask(found[: learned[0]], talks.tools(row))

    checks = ChatChecks(template.render)

    def check(row: dict[str, Any], text: str) -> list[str]:
        return checks.of(talks.messages(row), talks.tools(row), text)

    return [
        Filling(
            fill,
            [talks.column],
            conversation=True,
            begin=begin if answers else None,
            check=check,
        )
    ]


def _asked(
    sources: Sequence[ChatTemplateSource],
    talks: Conversations,
    tokenizer: ModelTokenizer | None,
    findings: Findings,
) -> list[Filling]:
    """Of an evaluation, one for each chat template that it asks with."""
    if tokenizer is None:
        return [_form_alone(talks, _before_answer(talks))]
    texts = [_text(source, tokenizer, findings) for source in sources]
    why = "the prompt hands over conversations, but neither the model nor an adapter that is "
    why += "evaluated or compared with has a chat template for them"
    distinct = dict.fromkeys(text for text in texts if text is not None)
    found = [_template(tokenizer, text, why, findings) for text in distinct]
    asking = [_asking(template, talks) for template in found if template is not None]
    return asking or [_form_alone(talks, _before_answer(talks))]


def _before_answer(talks: Conversations) -> Callable[[dict[str, Any]], list[messages.Message]]:
    return lambda row: talks.question(row)[0]


def _form_alone(
    talks: Conversations, read: Callable[[dict[str, Any]], list[messages.Message]]
) -> Filling:
    """Checks roles and messages of rows where no chat template is at hand."""

    def fill(row: dict[str, Any]) -> str:
        return values.to_json([read(row), talks.tools(row)])

    return Filling(fill, [talks.column], conversation=True, countable=False)


def _asking(template: ChatTemplate, talks: Conversations) -> Filling:
    def fill(row: dict[str, Any]) -> str:
        before, _ = talks.question(row)
        return template.render(before, talks.tools(row), ask=True)

    checks = ChatChecks(lambda messages, tools: template.render(messages, tools, ask=True))

    def check(row: dict[str, Any], text: str) -> list[str]:
        return checks.of(talks.question(row)[0], talks.tools(row), text)

    return Filling(fill, [talks.column], conversation=True, check=check)


def _text(source: ChatTemplateSource, tokenizer: ModelTokenizer, findings: Findings) -> str | None:
    """The chat template that a model or an adapter is asked with, empty if there is none. None, and
    noted, if it cannot be read, or only by the job."""
    own = tokenizer.chat_template
    if source.alone and own:
        return own
    if source.on_hub:
        description = (
            f"conversations were not looked at: the chat template of adapter {source.adapter} is "
            "on the hub, for the job to read"
        )
        findings.add(NOTICE, "model_adapter_combinations", rules.CONVERSATIONS, description)
        return None
    files = {name: Path(path) for name, path in source.files.items()}
    config = files.get("tokenizer_config.json")
    try:
        return chat.text_of(files, read_json(config) if config else {}) or own
    except DataError as error:
        _tell_template(str(error), findings)
        return None


def _training_template(
    settings: JobSettings,
    sources: Sequence[ChatTemplateSource],
    tokenizer: ModelTokenizer | None,
    findings: Findings,
) -> ChatTemplate | None:
    """The template that a training writes conversations with: the one that its settings name, or
    the model's own. None, and noted, if it is not at hand."""
    if tokenizer is None:
        return None
    if not sources:
        why = "the prompt hands over conversations, but the model's tokenizer has no chat template"
        return _template(tokenizer, tokenizer.chat_template, f"{why}: {_REMEDY}", findings)
    path = settings.training.get(TEMPLATE_PATH)
    if sources[0].on_hub:
        description = f"conversations were looked at without a chat template: see {TEMPLATE_PATH}"
        findings.add(NOTICE, "training_arguments_config", rules.CONVERSATIONS, description)
        return None
    why = f"{TEMPLATE_PATH} {path!r} is a tokenizer that has no chat template"
    files = {name: Path(one) for name, one in sources[0].files.items()}
    config = files.get("tokenizer_config.json")
    try:
        text = chat.text_of(files, read_json(config) if config else {})
        template = tokenizer.chat(text)
    except DataError as error:
        template, why = None, f"{TEMPLATE_PATH} {path!r}: {error}"
    if template is None:
        findings.add(ERROR, "training_arguments_config", rules.CHAT_TEMPLATE, why)
    return template


def _template(
    tokenizer: ModelTokenizer, text: str, why: str, findings: Findings
) -> ChatTemplate | None:
    try:
        template = tokenizer.chat(text)
    except DataError as error:
        template, why = None, str(error)
    if template is None:
        _tell_template(why, findings)
    return template


def _tell_template(why: str, findings: Findings) -> None:
    findings.add(ERROR, "base_model_id", rules.CHAT_TEMPLATE, why)
