"""Result files of an evaluation."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ft.job_protocol.evaluation_table import EXPECTED, FEATURE_SUFFIX, INPUT, OUTPUT, TABLE_FILE

METRICS_FILE = "aggregregated_results.csv"
"""Spelled as programs that read it expect."""


@dataclass(frozen=True)
class Result:
    """One evaluated row."""

    model_input: str
    expected_output: str
    model_output: str
    seconds: float
    cut_off: bool = False
    """True if a limit has ended the output."""
    asked: bool = True
    """False for an input that leaves the model no room to write, so that it cannot be scored."""
    features: dict[str, str] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """True if the output is the expected one, except for blanks around it."""
        return self.model_output.strip() == self.expected_output.strip()


def write_files(
    folder: Path,
    results: Sequence[Result],
    scores: Sequence[Mapping[str, float | None]],
    metrics: Mapping[str, float | None],
) -> list[Path]:
    """Writes the scores and texts of each row, and the metrics; returns the files.

    A score that was not measured is an empty cell. A file that exists is complete.
    """
    features = list(results[0].features)
    names = list(scores[0])
    texts = [INPUT, EXPECTED, OUTPUT]
    columns = [*texts, *names, *(name + FEATURE_SUFFIX for name in features)]
    rows = [
        [result.model_input, result.expected_output, result.model_output]
        + ["" if (score := row[name]) is None else f"{score:.6g}" for name in names]
        + [result.features[name] for name in features]
        for result, row in zip(results, scores, strict=True)
    ]
    return [
        _write(folder / TABLE_FILE, columns, rows),
        _write(
            folder / METRICS_FILE,
            ["metric", "score"],
            [[name, "" if score is None else score] for name, score in metrics.items()],
        ),
    ]


def _write(path: Path, header: list[str], rows: Sequence[Sequence[object]]) -> Path:
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return partial.replace(path)
