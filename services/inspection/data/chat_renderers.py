"""Renderers of conversations."""

from collections.abc import Callable, Sequence
from functools import partial

from chassis.rpc.findings import WARNING, Findings
from rows import values
from rows.chat import answer_spans, messages
from rows.chat.checks import ChatChecks
from rows.chat.conversations import Conversations
from services.inspection import rules
from services.inspection.data.renderers import Row, RowRenderer
from services.inspection.model.chat import ChatTemplate
from services.inspection.settings import JobSettings


def training_renderer(
    settings: JobSettings,
    template: ChatTemplate | None,
    talks: Conversations,
    findings: Findings,
) -> RowRenderer:
    """The renderer that writes whole conversations, as a training does."""
    if template is None:
        return _form_renderer(talks, talks.messages)
    answers_only = bool(settings.training.get("assistant_only_loss"))
    if answers_only and not template.marked:
        description = (
            "assistant_only_loss needs a chat template with {% generation %} around the answers; "
            "this one has none, and the job fails unless the library knows the template"
        )
        findings.add(WARNING, "training_arguments_config", rules.ANSWERS, description)
    render_talk, ask = template.render, partial(template.render, ask=True)

    def render(row: Row) -> str:
        talk, tools = talks.messages(row), talks.tools(row)
        if answers_only:
            answer_spans.require_learned(talk)
        text = render_talk(talk, tools)
        # The job fails on a text in which an answer of weight 0 cannot be found.
        answer_spans.of(talk, tools, text, render_talk, ask)
        return text

    def prefix(row: Row) -> str:
        talk = talks.messages(row)
        learned = [
            number
            for number, one in enumerate(talk)
            if one["role"] == messages.ASSISTANT and one.get(messages.WEIGHT, 1)
        ]
        return ask(talk[: learned[0]], talks.tools(row))

    checks = ChatChecks(render_talk)
    return RowRenderer(
        render,
        [talks.column],
        conversation=True,
        prefix=prefix if answers_only else None,
        check=lambda row, text: checks.of(talks.messages(row), talks.tools(row), text),
    )


def evaluation_renderers(
    templates: Sequence[ChatTemplate], talks: Conversations
) -> list[RowRenderer]:
    """The renderers that write what comes before the last answers, one for each chat template."""
    if not templates:
        return [_form_renderer(talks, lambda row: talks.question(row)[0])]

    def renderer(template: ChatTemplate) -> RowRenderer:
        ask = partial(template.render, ask=True)
        checks = ChatChecks(ask)
        return RowRenderer(
            lambda row: ask(talks.question(row)[0], talks.tools(row)),
            [talks.column],
            conversation=True,
            check=lambda row, text: checks.of(talks.question(row)[0], talks.tools(row), text),
        )

    return [renderer(template) for template in templates]


def _form_renderer(
    talks: Conversations, read: Callable[[Row], list[messages.Message]]
) -> RowRenderer:
    """The renderer that checks roles and messages of rows without a chat template."""
    return RowRenderer(
        lambda row: values.to_json([read(row), talks.tools(row)]),
        [talks.column],
        conversation=True,
        countable=False,
    )
