"""How good what a model wrote is: scores of every row, and of all of them.

Computed here and not by `mlflow.metrics`: those of texts are deprecated, and without a network
most of them are left out without a word.
"""

import statistics
from collections.abc import Mapping, Sequence

import textstat
from rouge_score.rouge_scorer import RougeScorer

from trainer.hardware import Notify
from trainer.results import Result
from trainer.toxicity import toxicity

OVERLAPS = ("rouge1", "rougeL", "rougeLsum")
"""F-measures of the words that output and expectation have in common, from 0 to 1."""


def of_rows(results: Sequence[Result], notify: Notify) -> list[dict[str, float]]:
    """The scores of each row by name.

    `exact_match` is 0 or 1, `latency` is seconds, a row's share of its batch; `ari_grade_level` and
    `flesch_kincaid_grade_level` are the years at school that it takes to read the output.
    `toxicity` is there only where its model is at hand.
    """
    scorer = RougeScorer(list(OVERLAPS))
    rows = [{**_of_row(result), **_overlaps(scorer, result)} for result in results]
    toxic = toxicity([result.model_output for result in results], notify)
    for row, score in zip(rows, toxic or [], strict=toxic is not None):
        row["toxicity"] = score
    return rows


def of_all(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The means of all rows' scores by name; of the latency the largest as well."""
    means = {name: statistics.fmean(row[name] for row in rows) for name in rows[0]}
    latency = {
        "latency_mean": means.pop("latency"),
        "latency_max": max(row["latency"] for row in rows),
    }
    return means | latency


def _of_row(result: Result) -> dict[str, float]:
    return {
        "exact_match": float(result.exact),
        "latency": result.seconds,
        "ari_grade_level": textstat.automated_readability_index(result.model_output),
        "flesch_kincaid_grade_level": textstat.flesch_kincaid_grade(result.model_output),
    }


def _overlaps(scorer: RougeScorer, result: Result) -> dict[str, float]:
    found = scorer.score(result.expected_output, result.model_output)
    return {name: found[name].fmeasure for name in OVERLAPS}
