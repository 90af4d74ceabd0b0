"""Scores of a model's outputs, for each row and as means.

They are not computed by `mlflow.metrics`: its metrics of texts are deprecated, and without a
network most of them are left out without a warning.
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
"""F-measures of the words that output and expected answer have in common, from 0 to 1."""
GRADES = ("ari_grade_level", "flesch_kincaid_grade_level")
"""School grades that are needed to read an English output."""
ROWS_SUFFIX = "_rows"
"""Suffix of the metric with the number of rows that another one is measured on."""

Scores = Mapping[str, float | None]
"""Scores of one row by name; None where a score is not measured."""


def of_rows(results: Sequence[Result], notify: Notify) -> list[Scores]:
    """The scores of each row, with the same names for all rows.

    `exact_match` is 0 or 1; `cut_off` is 1 for an output that the limit of tokens ended; `latency`
    is in seconds, a row's share of its batch; for others see `OVERLAPS` and `GRADES`. `toxicity` is
    included only if its model is available. Rows on which a score is not measured are a notice; no
    score is measured for a question that was not asked.
    """
    outputs = [result.model_output for result in results]
    in_english = english.detect(outputs, (result.expected_output for result in results))
    toxic = toxicity(outputs, in_english, notify)
    tokenizer = WordTokenizer()
    scorer = RougeScorer(list(OVERLAPS), tokenizer=tokenizer)
    rows: list[Scores] = []
    for number, result in enumerate(results):
        row: dict[str, float | None] = {
            "exact_match": float(result.exact),
            "cut_off": float(result.cut_off),
            "latency": result.seconds,
            **dict.fromkeys((*GRADES, *OVERLAPS)),
        }
        text = result.model_output
        if in_english[number] and tokenizer.tokenize(text):
            ari, flesch_kincaid = GRADES
            row[ari] = _finite(textstat.automated_readability_index(text))
            row[flesch_kincaid] = _finite(textstat.flesch_kincaid_grade(text))
        if any(map(tokenizer.tokenize, (result.expected_output, text))):
            overlaps = scorer.score(result.expected_output, text)
            row |= {name: overlaps[name].fmeasure for name in OVERLAPS}
        row = row if toxic is None else {**row, "toxicity": toxic[number]}
        rows.append(row if result.asked else dict.fromkeys(row))
    asked = [number for number, result in enumerate(results) if result.asked]
    _report_not_measured([rows[n] for n in asked], [in_english[n] for n in asked], notify)
    return rows


def of_all(rows: Sequence[Scores]) -> dict[str, float | None]:
    """The mean of each score over the rows that it is measured on, None if there are none; the
    maximum of the latency too.

    A score that is not measured on all rows has `NAME_rows`, the number of rows that it is measured
    on.
    """
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


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _report_not_measured(
    rows: Sequence[Scores], in_english: Sequence[bool], notify: Notify
) -> None:
    """Reports on how many rows scores are not measured."""
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
