"""Expected answers of an evaluation, and the number of tokens that the model may write."""

import time
from typing import Any

from chassis.rpc.findings import SHOWN_PLACES, WARNING, Findings
from rows.templates import RowTemplate
from services.inspection import rules
from services.inspection.data.renderers import NOT_RENDERABLE
from services.inspection.data.rows import JobRows, asked_column
from services.inspection.model.tokenizer import ModelTokenizer
from services.inspection.settings import JobSettings


def check_answer_lengths(
    settings: JobSettings,
    rows: JobRows,
    tokenizer: ModelTokenizer,
    seconds: float,
    findings: Findings,
) -> None:
    """Warns about expected answers that have more tokens than max_new_tokens lets the model write.

    Counts for about `seconds`, at least one batch. Checks nothing if the job itself sets the limit
    by the answers.
    """
    if settings.request.fit_answer_length:
        return
    until = time.monotonic() + seconds
    completion = settings.request.prompt.completion_template
    talks = asked_column(settings.request, rows.used.rows)
    template = RowTemplate(completion, rows.used.rows.column_names, "completion_template")

    def answer(row: dict[str, Any]) -> str:
        try:
            return talks.question(row)[1] if talks else template.fill(row)
        except NOT_RENDERABLE:
            return ""

    limit, longest, count, seen = settings.new_tokens, 0, 0, 0
    places: list[str] = []
    for batch in rows.used.batches():
        if seen and time.monotonic() > until:
            break
        lengths = tokenizer.lengths([answer(row) for row in batch], whole=True)
        for row, length in enumerate(lengths, seen):
            longest = max(longest, length)
            if length > limit:
                count += 1
                if len(places) < SHOWN_PLACES:
                    places.append(rows.used.place(row))
        seen += len(batch)
    if count:
        description = (
            f"{count} of {seen} expected answers have more tokens than max_new_tokens lets the "
            f"model write, {limit}; the longest has {longest}. They cannot be matched: set "
            "max_new_tokens higher, or fit_answer_length"
        )
        findings.add(WARNING, "generation_config", rules.ANSWERS_FIT, description, count, places)
