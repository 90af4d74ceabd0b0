"""Expected answers of an evaluation: whether the model may write as much."""

import time
from collections.abc import Callable
from typing import Any

from datasets import Dataset

from chassis.rpc.findings import SHOWN_PLACES, WARNING, Findings
from rows.templates import RowTemplate
from services.inspection import rules
from services.inspection.data.rows import Parts, asked_column
from services.inspection.data.texts import NOT_FILLABLE
from services.inspection.model.tokenizer import ModelTokenizer
from services.inspection.settings import JobSettings


def check_room(
    settings: JobSettings,
    parts: Parts,
    tokenizer: ModelTokenizer,
    seconds: float,
    findings: Findings,
) -> None:
    """Notes expected answers that have more tokens than max_new_tokens lets the model write, as far
    as there is time to count; none where the job gives them room."""
    if settings.request.fit_answer_length:
        return
    until = time.monotonic() + seconds
    expected, limit = _expected(settings, parts.used.rows), settings.new_tokens
    longest, rows, seen = 0, 0, 0
    places: list[str] = []
    for batch in parts.used.batches():
        if seen and time.monotonic() > until:
            break
        answers = [_filled(expected, row) for row in batch]
        for number, length in enumerate(tokenizer.lengths(answers, whole=True), seen):
            longest = max(longest, length)
            if length > limit:
                rows += 1
                if len(places) < SHOWN_PLACES:
                    places.append(parts.used.place(number))
        seen += len(batch)
    if rows:
        description = (
            f"{rows} of {seen} expected answers have more tokens than max_new_tokens lets the "
            f"model write, {limit}; the longest has {longest}. They cannot be matched: set "
            "max_new_tokens higher, or fit_answer_length"
        )
        findings.add(WARNING, "generation_config", rules.ANSWERS_FIT, description, rows, places)


def _expected(settings: JobSettings, rows: Dataset) -> Callable[[dict[str, Any]], str]:
    """What makes the expected answer of a row."""
    if talks := asked_column(settings.request, rows):
        return lambda row: talks.question(row)[1]
    template = settings.request.prompt.completion_template
    return RowTemplate(template, rows.column_names, "completion_template").fill


def _filled(expected: Callable[[dict[str, Any]], str], row: dict[str, Any]) -> str:
    try:
        return expected(row)
    except NOT_FILLABLE:
        return ""
