"""How good what a model wrote is: scores of every row, and of all of them.

Computed here and not by `mlflow.metrics`: those of texts are deprecated, and without a network
most of them are left out without a word.
"""

import math
import statistics
from collections.abc import Mapping, Sequence

import textstat
from rouge_score.rouge_scorer import RougeScorer

from trainer.evaluation import english
from trainer.evaluation.results import Result
from trainer.evaluation.toxicity import toxicity
from trainer.evaluation.word_tokenizer import WordTokenizer
from trainer.model.hardware import Notify

OVERLAPS = ("rouge1", "rougeL", "rougeLsum")
"""F-measures of the words that output and expectation have in common, from 0 to 1."""
GRADES = ("ari_grade_level", "flesch_kincaid_grade_level")
"""Years at school that it takes to read an English output."""
ROWS_SUFFIX = "_rows"
"""Of a metric that says how many rows another one is measured on."""

Scores = Mapping[str, float | None]
"""Of one row by name; None where a score is not measured."""


def of_rows(results: Sequence[Result], notify: Notify) -> list[Scores]:
    """The scores of each row, the same names in each.

    `exact_match` is 0 or 1; `cut_off` is 1 for an output that the limit of tokens ended; `latency`
    is seconds, a row's share of its batch; for the others see `OVERLAPS` and `GRADES`. `toxicity`
    is there only where its model is at hand. What a score cannot be measured on is told; none is
    measured on a question that was not asked.
    """
    outputs = [result.model_output for result in results]
    in_english = english.detect(outputs, (result.expected_output for result in results))
    toxic = toxicity(outputs, in_english, notify)
    tokenizer = WordTokenizer()
    scorer = RougeScorer(list(OVERLAPS), tokenizer=tokenizer)
    rows: list[Scores] = []
    for number, result in enumerate(results):
        row = {
            "exact_match": float(result.exact),
            "cut_off": float(result.cut_off),
            "latency": result.seconds,
            **_grades(result.model_output, tokenizer, in_english=in_english[number]),
            **_overlaps(result, tokenizer, scorer),
        }
        row = row if toxic is None else {**row, "toxicity": toxic[number]}
        rows.append(row if result.asked else dict.fromkeys(row))
    asked = [number for number, result in enumerate(results) if result.asked]
    _tell_not_measured([rows[n] for n in asked], [in_english[n] for n in asked], notify)
    return rows


def of_all(rows: Sequence[Scores]) -> dict[str, float | None]:
    """The mean of each score over the rows that it is measured on, None if there are none; of the
    latency the largest as well. One that is not measured on all rows has `NAME_rows` beside it, how
    many it is measured on."""
    metrics: dict[str, float | None] = {}
    for name in rows[0]:
        found = [score for row in rows if (score := row[name]) is not None]
        mean = statistics.fmean(found) if found else None
        if name == "latency":
            metrics |= {"latency_mean": mean, "latency_max": max(found)}
            continue
        metrics[name] = mean
        if len(found) < len(rows):
            metrics[f"{name}{ROWS_SUFFIX}"] = float(len(found))
    return metrics


def _grades(text: str, tokenizer: WordTokenizer, *, in_english: bool) -> dict[str, float | None]:
    if not in_english or not tokenizer.tokenize(text):
        return dict.fromkeys(GRADES)
    ari, flesch_kincaid = GRADES
    return {
        ari: _finite(textstat.automated_readability_index(text)),
        flesch_kincaid: _finite(textstat.flesch_kincaid_grade(text)),
    }


def _overlaps(
    result: Result, tokenizer: WordTokenizer, scorer: RougeScorer
) -> dict[str, float | None]:
    texts = (result.expected_output, result.model_output)
    if not any(map(tokenizer.tokenize, texts)):
        return dict.fromkeys(OVERLAPS)
    found = scorer.score(*texts)
    return {name: found[name].fmeasure for name in OVERLAPS}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _tell_not_measured(rows: Sequence[Scores], in_english: Sequence[bool], notify: Notify) -> None:
    if foreign := in_english.count(False):
        notify(
            f"{' and '.join(GRADES)} are not measured on {foreign} of {len(rows)} outputs, which "
            "seem not to be English: the formulas are made for English."
        )
    if nothing := sum(row[OVERLAPS[0]] is None for row in rows):
        notify(
            f"ROUGE is not measured on {nothing} of {len(rows)} rows: neither the expected answer "
            "nor the output has a word."
        )
