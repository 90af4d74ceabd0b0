"""The inspection of a job's rows."""

from chassis.rpc.findings import Findings
from ft.proto.inspection_pb2 import InspectionWork
from rows.chat import conversations
from services.inspection.data import answers, checks
from services.inspection.data.chat_renderers import evaluation_renderers, training_renderer
from services.inspection.data.chat_templates import evaluation_templates, training_template
from services.inspection.data.renderers import template_renderer
from services.inspection.data.rows import JobRows, asked_column
from services.inspection.data.texts import TextInspection, TextStatistics
from services.inspection.model.tokenizer import ModelTokenizer
from services.inspection.settings import JobSettings

COUNTING_SHARE = 0.5
"""The share of a call's time in which tokens of rows may be counted."""
ANSWERS_SHARE = 0.1
"""The share of a call's time in which tokens of expected answers may be counted."""


def inspect_rows(
    work: InspectionWork,
    rows: JobRows,
    tokenizer: ModelTokenizer | None,
    context: int,
    findings: Findings,
) -> TextStatistics:
    """Checks the rows, and counts the tokens of their texts.

    `context` is the most tokens that a row may have. An evaluation may render the rows in several
    ways; the statistics are those of the way with the longest row.
    """
    request = work.request
    settings, dataset = JobSettings(request), rows.used.rows
    checks.check_templates(settings, dataset, tokenizer, findings)
    if settings.tuning:
        checks.check_evaluations(settings, rows, findings)
        checks.check_batches(settings, rows, findings)
        roles = conversations.roles_of(request.dataset)
        talks = conversations.column_of(settings.template, dataset, roles)
    else:
        checks.check_answers(rows, findings)
        talks = asked_column(request, dataset)
    sources = work.chat_templates
    if talks is None:
        renderers = [template_renderer(settings, dataset, findings)]
    elif settings.tuning:
        template = training_template(settings, sources, tokenizer, findings)
        renderers = [training_renderer(settings, template, talks, findings)]
    else:
        renderers = evaluation_renderers(evaluation_templates(sources, tokenizer, findings), talks)
    found = []
    for renderer in renderers:
        seconds = work.seconds * COUNTING_SHARE / len(renderers)
        counting = tokenizer if renderer.countable else None
        inspection = TextInspection(settings, rows, renderer, counting, context, seconds)
        found.append(inspection.run(findings))
    if not settings.tuning and tokenizer is not None:
        seconds = work.seconds * ANSWERS_SHARE
        answers.check_answer_lengths(settings, rows, tokenizer, seconds, findings)
    return max(found, key=lambda one: one.longest)
