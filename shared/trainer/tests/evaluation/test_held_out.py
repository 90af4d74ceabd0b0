"""Rows that an evaluation job scores, from the studio's answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ft.api import AdapterMetadata, DatasetMetadata, FineTuningJobMetadata
from ft.client import FineTuningStudioClient
from rows import reading, selection
from rows.errors import DataError
from trainer.evaluation.held_out import HeldOutRows
from trainer.job.arguments import evaluate_arguments
from trainer.tests.studio import PROMPT, Studio

NUMBER = 40


@pytest.fixture
def client(studio: Studio) -> Iterator[FineTuningStudioClient]:
    host, port = studio.address.split(":")
    with FineTuningStudioClient(host, port) as client:
        yield client


class ScoredRows:
    """What is scored for which arguments."""

    def __init__(self, client: FineTuningStudioClient, studio: Studio, project: Path) -> None:
        self.client = client
        self.project = project
        self.notices: list[str] = []
        self.dataset = DatasetMetadata(
            id="dataset", type="project_jsonl", name="own", location="own.jsonl"
        )
        rows = [{"customer": f"order {n}", "action": f"a{n}"} for n in range(NUMBER)]
        (project / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        studio.dataset = self.dataset
        studio.splits = {"": (1.0, 0.9), "half": (1.0, 0.5), "most": (1.0, 0.9)}

    def __call__(self, **flags: Any) -> set[str]:
        base = {"base_model_id": "m", "dataset_id": "dataset", "prompt_id": "prompt"}
        given = {**base, "result_dir": "r", "eval_dataset_fraction": 1.0, **flags}
        words = " ".join(f"--{name} {value}" for name, value in given.items())
        arguments = evaluate_arguments({"JOB_ARGUMENTS": words})
        rows, _ = HeldOutRows(arguments, self.client, self.project).load(
            PROMPT, self.notices.append
        )
        return set(rows["customer"])

    def split(self, share: float) -> tuple[set[str], set[str]]:
        loaded = reading.load(self.dataset, self.project, None)
        train, held_out = selection.split(loaded, 1.0, share)
        return set(train["customer"]), set(held_out["customer"])


@pytest.fixture
def scored(client: FineTuningStudioClient, studio: Studio, project: Path) -> ScoredRows:
    return ScoredRows(client, studio, project)


def test_rows_are_unseen_by_the_comparison_adapter(scored: ScoredRows) -> None:
    assert scored(comparison_adapter_id="half", adapter_id="half") == scored.split(0.5)[1]
    assert scored() == scored.split(0.9)[1]
    assert scored.notices == []


def test_rows_that_another_adapter_was_trained_on_are_not_scored_for_it(
    scored: ScoredRows, studio: Studio
) -> None:
    studio.adapters.append(AdapterMetadata(id="most", name="most", fine_tuning_job_id="gone"))
    held_out = scored(comparison_adapter_id="half", adapter_id="most")
    assert held_out == scored.split(0.5)[1] - scored.split(0.9)[0]
    [notice] = scored.notices
    assert notice.startswith(f"{20 - len(held_out)} of 20 held-out rows are left out")


def test_adapter_of_another_dataset_has_seen_none_of_the_rows(
    scored: ScoredRows, studio: Studio
) -> None:
    studio.adapters.append(AdapterMetadata(id="most", name="most", fine_tuning_job_id="job"))
    studio.jobs["job"] = FineTuningJobMetadata(id="job", dataset_id="another")
    assert scored(comparison_adapter_id="half", adapter_id="most") == scored.split(0.5)[1]
    studio.jobs["job"].dataset_id = "dataset"
    assert scored(comparison_adapter_id="half", adapter_id="most") < scored.split(0.5)[1]


def test_feature_that_is_no_column_is_refused(scored: ScoredRows) -> None:
    with pytest.raises(DataError, match="selected_features: the dataset has no column colour"):
        scored(selected_features='["colour"]')
