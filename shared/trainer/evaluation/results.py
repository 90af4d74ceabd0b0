"""The files that an evaluation leaves behind."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ft.job_protocol.evaluation_table import EXPECTED, FEATURE_SUFFIX, INPUT, OUTPUT, TABLE_FILE

METRICS_FILE = "aggregregated_results.csv"
"""Spelt as those who read it expect."""


@dataclass(frozen=True)
class Result:
    """One evaluated row."""

    model_input: str
    expected_output: str
    model_output: str
    seconds: float
    cut_off: bool = False
    """Whether the model would have written more than it was allowed to."""
    asked: bool = True
    """False for an input that leaves the model no room to write: nothing of it can be scored."""
    features: dict[str, str] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Whether the model wrote just what was expected, but for blanks around it."""
        return self.model_output.strip() == self.expected_output.strip()


def write_files(
    folder: Path,
    results: Sequence[Result],
    scores: Sequence[Mapping[str, float | None]],
    metrics: Mapping[str, float | None],
) -> list[Path]:
    """Writes the scores of each row beside its texts, and the metrics; returns the files.

    What is not measured is an empty cell. Whoever finds a file finds all of it.
    """
    features = list(results[0].features)
    names = list(scores[0])
    texts = [INPUT, EXPECTED, OUTPUT]
    columns = [*texts, *names, *(name + FEATURE_SUFFIX for name in features)]
    rows = [
        [result.model_input, result.expected_output, result.model_output]
        + [_cell(row[name]) for name in names]
        + [result.features[name] for name in features]
        for result, row in zip(results, scores, strict=True)
    ]
    return [
        _write(
            folder / TABLE_FILE, [*columns, *(name + FEATURE_SUFFIX for name in features)], rows
        ),
        _write(
            folder / METRICS_FILE,
            ["metric", "score"],
            [[name, "" if score is None else score] for name, score in metrics.items()],
        ),
    ]


def _cell(score: float | None) -> str:
    return "" if score is None else f"{score:.6g}"


def _write(path: Path, header: list[str], rows: Sequence[Sequence[object]]) -> Path:
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return partial.replace(path)
