"""Expected answers of an evaluation: whether the model may write as much."""

import time
from typing import Any

from ft.proto.fine_tuning_studio_pb2 import PromptMetadata
from rows import conversations, templates
from rows.errors import DataError
from services.inspection import rules
from services.inspection.data import Parts, asked_column
from services.inspection.findings import SHOWN_PLACES, WARNING, Findings
from services.inspection.settings import JobSettings
from services.inspection.texts import NOT_FILLABLE
from services.inspection.tokenizer import ModelTokenizer


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
    prompt, limit = settings.request.prompt, settings.new_tokens
    column = asked_column(prompt, parts.used.rows)
    longest, rows, seen = 0, 0, 0
    places: list[str] = []
    for batch in parts.used.batches():
        if seen and time.monotonic() > until:
            break
        answers = [_answer(prompt, column, row) for row in batch]
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


def _answer(prompt: PromptMetadata, column: str, row: dict[str, Any]) -> str:
    try:
        if column:
            return conversations.question(row, column)[1]
        return templates.fill(prompt.completion_template, row)
    except (*NOT_FILLABLE, DataError):
        return ""
