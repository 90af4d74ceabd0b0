"""The files and figures that an evaluation leaves behind."""

import csv
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

FEATURE_SUFFIX = "_$useradded$"
"""Marks the dataset columns that the user chose to see beside the results."""


@dataclass(frozen=True)
class Result:
    """One evaluated row."""

    model_input: str
    expected_output: str
    model_output: str
    seconds: float
    features: dict[str, str] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Whether the model wrote just what was expected, but for blanks around it."""
        return self.model_output.strip() == self.expected_output.strip()


def metrics(results: Sequence[Result]) -> dict[str, float]:
    """Scores by name; latencies are seconds for a row, as its share of a batch."""
    latencies = [result.seconds for result in results]
    return {
        "exact_match": statistics.fmean(result.exact for result in results),
        "latency_mean": statistics.fmean(latencies),
        "latency_max": max(latencies),
    }


def write_files(folder: Path, results: Sequence[Result], scores: dict[str, float]) -> None:
    """Writes `result_evaluation.csv`, by row, and `aggregregated_results.csv`, by metric.

    The second name is spelt as those who read it expect.
    """
    features = list(results[0].features)
    columns = ["model_input", "expected_output", "model_output", "exact_match", "latency"]
    _write(
        folder / "result_evaluation.csv",
        columns + [name + FEATURE_SUFFIX for name in features],
        [
            [r.model_input, r.expected_output, r.model_output, int(r.exact), f"{r.seconds:.6f}"]
            + [r.features[name] for name in features]
            for r in results
        ],
    )
    _write(folder / "aggregregated_results.csv", ["metric", "score"], list(scores.items()))


def _write(path: Path, header: list[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
